"""The audit service's tables: the chain's entries, and its head."""

from __future__ import annotations

import datetime
import uuid

from sqlalchemy import BigInteger, Index
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from workloads.chassis.schema import TYPES, Text, metadata


class Base(DeclarativeBase):
    """The audit service's tables. Their rows belong to nobody: erasure leaves them, since they hold pseudonyms only."""

    metadata = metadata()
    type_annotation_map = TYPES


class Entry(Base):
    """An entry of the chain. number: from 1, without gaps. digest: over the content and the digest before it.

    subject: the user's pseudonym. about: ids that the event told, as JSON text in a fixed form.
    """

    __tablename__ = "entry"
    __table_args__ = (Index("ix_entry_subject", "subject", "number"),)
    number: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    event_id: Mapped[uuid.UUID] = mapped_column(unique=True)
    at: Mapped[datetime.datetime]
    source: Mapped[str] = mapped_column(Text(60))
    type: Mapped[str] = mapped_column(Text(60))
    subject: Mapped[str | None] = mapped_column(Text(40))
    about: Mapped[str] = mapped_column(Text(2000))
    digest: Mapped[str] = mapped_column(Text(64))


class Head(Base):
    """The chain's end. Its one row is locked while an entry is added."""

    __tablename__ = "head"
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    number: Mapped[int] = mapped_column(BigInteger)
    digest: Mapped[str] = mapped_column(Text(64))
