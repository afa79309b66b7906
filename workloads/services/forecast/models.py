"""The forecast service's tables: facts of transactions, and the latest projection."""

from __future__ import annotations

import datetime
import uuid

from sqlalchemy import BigInteger
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from workloads.chassis.facts import FactColumns
from workloads.chassis.schema import TYPES, Owned, Text, metadata


class Base(DeclarativeBase):
    """The forecast service's tables."""

    metadata = metadata()
    type_annotation_map = TYPES


class Fact(Owned, FactColumns, Base):
    """A fact of a transaction."""

    __tablename__ = "fact"


class ProjectedMonth(Owned, Base):
    """A month to come, in one currency; minor units, at the month's end. low, high: 8 of 10 times it is between."""

    __tablename__ = "projected_month"
    user_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    currency: Mapped[str] = mapped_column(Text(3), primary_key=True)
    month: Mapped[datetime.date] = mapped_column(primary_key=True)
    start: Mapped[int] = mapped_column(BigInteger)
    recurring: Mapped[int] = mapped_column(BigInteger)
    usual: Mapped[int] = mapped_column(BigInteger)
    low: Mapped[int] = mapped_column(BigInteger)
    middle: Mapped[int] = mapped_column(BigInteger)
    high: Mapped[int] = mapped_column(BigInteger)
    below_zero: Mapped[int]
    made: Mapped[datetime.datetime]
