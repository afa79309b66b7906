"""The enrichment service's tables: what each transaction is, the person's rules, how far the ledger was read."""

from __future__ import annotations

import datetime
import uuid

from sqlalchemy import BigInteger, Index
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from workloads.chassis import ids
from workloads.chassis.schema import TYPES, Owned, Text, metadata


class Base(DeclarativeBase):
    """The enrichment service's tables."""

    metadata = metadata()
    type_annotation_map = TYPES


class Assignment(Owned, Base):
    """What a transaction is. No text of it is kept.

    version: rises with every change of any of the user's. source: person, rule, party, transfer, merchant, word or
    none. party: stands for the other side; the transaction's own id where nothing is told of that. minor: signed minor
    units.
    """

    __tablename__ = "assignment"
    __table_args__ = (
        Index("ix_assignment_user_id_party", "user_id", "party"),
        Index("ix_assignment_user_id_date", "user_id", "date"),
    )
    transaction_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(BigInteger)
    account_id: Mapped[uuid.UUID]
    date: Mapped[datetime.date]
    minor: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(Text(3))
    status: Mapped[str] = mapped_column(Text(10))
    category: Mapped[str] = mapped_column(Text(60))
    merchant: Mapped[str | None] = mapped_column(Text(80))
    party: Mapped[str] = mapped_column(Text(32))
    source: Mapped[str] = mapped_column(Text(10))
    transfer: Mapped[bool]
    removed: Mapped[bool]


class PartyCategory(Owned, Base):
    """The person's word on every transaction with one other side. said: when; a newer rule goes before it.

    transaction_id: on which one it was said; none of what was said before that was kept.
    """

    __tablename__ = "party_category"
    user_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    party: Mapped[str] = mapped_column(Text(32), primary_key=True)
    category: Mapped[str] = mapped_column(Text(60))
    said: Mapped[datetime.datetime]
    transaction_id: Mapped[uuid.UUID | None]


class Rule(Owned, Base):
    """A rule of the person's. words: all must be in the text. least, most: of the amount, signed minor units."""

    __tablename__ = "category_rule"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=ids.new_id)
    created: Mapped[datetime.datetime]
    words: Mapped[str] = mapped_column(Text(200))
    least: Mapped[int | None] = mapped_column(BigInteger)
    most: Mapped[int | None] = mapped_column(BigInteger)
    category: Mapped[str] = mapped_column(Text(60))


class Progress(Owned, Base):
    """How far the user's ledger was read, and the newest version. Locked while assignments change."""

    __tablename__ = "progress"
    user_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    revision: Mapped[int] = mapped_column(BigInteger)
    version: Mapped[int] = mapped_column(BigInteger)
