"""The privacy service's tables: erasures, and what each service said. Receipts outlive the person's data."""

from __future__ import annotations

import datetime
import uuid

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from workloads.chassis import ids
from workloads.chassis.schema import TYPES, Text, metadata


class Base(DeclarativeBase):
    """The privacy service's tables. Their rows are receipts: they hold a pseudonym, and stay after the erasure."""

    metadata = metadata()
    type_annotation_map = TYPES


class Erasure(Base):
    """An erasure. subject: the person's pseudonym, needed to erase again what a restored backup brings back."""

    __tablename__ = "erasure"
    __table_args__ = (Index("ix_erasure_subject", "subject"),)
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=ids.new_id)
    subject: Mapped[uuid.UUID]
    requested: Mapped[datetime.datetime]
    round: Mapped[int]
    completed: Mapped[datetime.datetime | None]


class Reply(Base):
    """What a service erased in a round. elsewhere: things outside its database, such as consents at banks."""

    __tablename__ = "reply"
    erasure_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("erasure.id"), primary_key=True)
    round: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    service: Mapped[str] = mapped_column(Text(40), primary_key=True)
    rows: Mapped[int]
    elsewhere: Mapped[int]
    at: Mapped[datetime.datetime]
