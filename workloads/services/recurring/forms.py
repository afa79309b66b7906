"""What the recurring service is asked and what it answers."""

from __future__ import annotations

import datetime
import uuid
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictBool

from workloads.chassis.json_text import PlainName
from workloads.chassis.money import Money
from workloads.services.recurring.models import SeriesRow

Every = Literal["week", "fortnight", "month", "quarter", "year"]


class SeriesView(BaseModel):
    """A series."""

    id: uuid.UUID
    name: str | None = Field(description="as the person calls it", examples=["Rent"])
    merchant: str | None = Field(examples=["netflix"])
    category: str = Field(examples=["housing"])
    transaction_id: uuid.UUID = Field(description="its latest occurrence, which tells the other side")
    every: Every
    minor: int = Field(description="typical amount, signed minor units", examples=[-89000])
    currency: str = Field(examples=["EUR"])
    decimal: str = Field(examples=["-890.00"])
    spread: int = Field(description="the furthest from the typical amount, minor units", examples=[0])
    first: datetime.date
    last: datetime.date
    next: datetime.date | None = Field(description="null when it has ended")
    count: int = Field(examples=[6])
    missed: int = Field(description="expected dates in a row without an occurrence", examples=[0])
    ended: bool
    ignored: bool

    @classmethod
    def of(cls, row: SeriesRow) -> SeriesView:
        """As it stands."""
        every: Any = row.every
        return cls(
            id=row.id, name=row.name, merchant=row.merchant, category=row.category, every=every, minor=row.minor,
            transaction_id=row.transaction_id, currency=row.currency, decimal=str(Money(row.minor, row.currency)),
            spread=row.spread, first=row.first, last=row.last, next=None if row.ended else row.next, count=row.count,
            missed=row.missed, ended=row.ended, ignored=row.ignored,
        )  # fmt: skip


class SeriesList(BaseModel):
    """The user's series, the next expected first."""

    series: list[SeriesView]


class SeriesChange(BaseModel):
    """What the person says of a series; what is left out stays. ignored: it is none, or of no interest."""

    model_config = ConfigDict(extra="forbid")
    name: Annotated[PlainName, Field(min_length=1, max_length=60)] | None = Field(default=None, examples=["Rent"])
    ignored: StrictBool | None = None


class ExpectedView(BaseModel):
    """An occurrence that is expected. party: stands for the other side, as in the facts of transactions."""

    series_id: uuid.UUID
    date: datetime.date
    minor: int = Field(description="signed minor units", examples=[-89000])
    currency: str = Field(examples=["EUR"])
    spread: int
    party: str


class ExpectedList(BaseModel):
    """Occurrences that are expected, soonest first."""

    expected: list[ExpectedView]
