"""The recurring service's tables: facts of transactions, series found in them, and when accounts were read."""

from __future__ import annotations

import datetime
import uuid

from sqlalchemy import BigInteger, Index
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from workloads.chassis import ids
from workloads.chassis.facts import FactColumns
from workloads.chassis.schema import TYPES, Owned, Text, metadata


class Base(DeclarativeBase):
    """The recurring service's tables."""

    metadata = metadata()
    type_annotation_map = TYPES


class Fact(Owned, FactColumns, Base):
    """A fact of a transaction."""

    __tablename__ = "fact"


class AccountRead(Owned, Base):
    """When an account's bank was last read: until then it is known what came, and what did not."""

    __tablename__ = "account_read"
    account_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    at: Mapped[datetime.datetime]


class SeriesRow(Owned, Base):
    """A series. party: stands for the other side. minor: typical amount, signed. spread: the furthest from it.

    day: of the month that it falls on, where it is monthly or rarer. next: the next date it is expected.
    missed: expected dates in a row on which it did not come. transaction_id: its latest occurrence.
    """

    __tablename__ = "series"
    __table_args__ = (Index("ix_series_user_id_party", "user_id", "party"),)
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=ids.new_id)
    party: Mapped[str] = mapped_column(Text(32))
    currency: Mapped[str] = mapped_column(Text(3))
    every: Mapped[str] = mapped_column(Text(10))
    day: Mapped[int]
    minor: Mapped[int] = mapped_column(BigInteger)
    spread: Mapped[int] = mapped_column(BigInteger)
    first: Mapped[datetime.date]
    last: Mapped[datetime.date]
    next: Mapped[datetime.date]
    count: Mapped[int]
    missed: Mapped[int]
    ended: Mapped[bool]
    ignored: Mapped[bool]
    name: Mapped[str | None] = mapped_column(Text(60))
    category: Mapped[str] = mapped_column(Text(60))
    merchant: Mapped[str | None] = mapped_column(Text(80))
    transaction_id: Mapped[uuid.UUID]
