"""The budget service's tables: facts of transactions, plans, single months' limits, thresholds that were crossed."""

from __future__ import annotations

import datetime
import uuid

from sqlalchemy import BigInteger, ForeignKey
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from workloads.chassis import ids
from workloads.chassis.facts import FactColumns
from workloads.chassis.schema import TYPES, Owned, Text, metadata


class Base(DeclarativeBase):
    """The budget service's tables."""

    metadata = metadata()
    type_annotation_map = TYPES


class Fact(Owned, FactColumns, Base):
    """A fact of a transaction."""

    __tablename__ = "fact"


class Budget(Owned, Base):
    """A monthly plan. categories, thresholds: separated by commas. start: first day of its first month.

    limit_minor: of a month, minor units.
    """

    __tablename__ = "budget"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=ids.new_id)
    name: Mapped[str] = mapped_column(Text(60))
    categories: Mapped[str] = mapped_column(Text(1000))
    currency: Mapped[str] = mapped_column(Text(3))
    limit_minor: Mapped[int] = mapped_column(BigInteger)
    rollover: Mapped[str] = mapped_column(Text(10))
    thresholds: Mapped[str] = mapped_column(Text(40))
    start: Mapped[datetime.date]
    created: Mapped[datetime.datetime]


class MonthLimit(Owned, Base):
    """Another limit for one month."""

    __tablename__ = "month_limit"
    budget_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("budget.id"), primary_key=True)
    month: Mapped[datetime.date] = mapped_column(primary_key=True)
    limit_minor: Mapped[int] = mapped_column(BigInteger)


class Crossing(Owned, Base):
    """A threshold that was crossed and told: once a month each."""

    __tablename__ = "crossing"
    budget_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("budget.id"), primary_key=True)
    month: Mapped[datetime.date] = mapped_column(primary_key=True)
    percent: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[datetime.datetime]
