"""What the budget service is asked and what it answers."""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field

from workloads.chassis.json_integer import NUMBER
from workloads.chassis.json_text import PlainName
from workloads.chassis.money import Money
from workloads.services.budget import domain
from workloads.services.budget.models import Budget

_LARGEST = 10**14
"""Minor units a month: carried over a thousand months, it is still what money may be."""
Amount = Annotated[int, Field(ge=0, le=_LARGEST), NUMBER]
Month = Annotated[str, Field(pattern="^20[0-9]{2}-(0[1-9]|1[0-2])$", examples=["2026-11"])]
Category = Annotated[str, Field(pattern="^[a-z-]{2,60}$", examples=["groceries"])]


def first_day(month: str) -> datetime.date:
    """The first day of a month such as 2026-11."""
    return datetime.date.fromisoformat(f"{month}-01")


class BudgetRequest(BaseModel):
    """A monthly plan.

    rollover: what goes into the next month: none; unspent, what is left; both, also what was spent too much.
    """

    model_config = ConfigDict(extra="forbid")
    name: PlainName = Field(min_length=1, max_length=60, examples=["Food"])
    categories: list[Category] = Field(min_length=1, max_length=15, examples=[["groceries", "eating-out"]])
    currency: str = Field(pattern="^[A-Z]{3}$", examples=["EUR"])
    limit: Amount = Field(description="of a month, minor units", examples=[40000])
    rollover: Literal["none", "unspent", "both"] = "none"
    thresholds: list[Annotated[int, Field(ge=1, le=500), NUMBER]] = Field(
        default=[80, 100], max_length=5, description="percent at which the person is told", examples=[[80, 100]]
    )
    start: Month

    def write(self, row: Budget) -> None:
        """Into its row."""
        row.name, row.currency, row.limit_minor = self.name, self.currency, self.limit
        row.rollover, row.start = self.rollover, first_day(self.start)
        row.categories = ",".join(sorted(set(self.categories)))
        row.thresholds = ",".join(str(each) for each in sorted(set(self.thresholds)))


class EnvelopeView(BaseModel):
    """A month of a budget, in minor units. A month to come shows what it will have if nothing more is spent before."""

    month: Month
    limit: int = Field(examples=[40000])
    carried: int = Field(description="from the month before", examples=[2500])
    available: int = Field(examples=[42500])
    spent: int = Field(examples=[31240])
    left: int = Field(examples=[11260])
    left_decimal: str = Field(examples=["112.60"])
    percent: int = Field(description="of what is available", examples=[73])

    @classmethod
    def of(cls, envelope: domain.Envelope, currency: str) -> Self:
        """As it stands now."""
        return cls(
            month=f"{envelope.month:%Y-%m}", limit=envelope.limit, carried=envelope.carried,
            available=envelope.available, spent=envelope.spent, left=envelope.left, percent=envelope.percent,
            left_decimal=str(Money(envelope.left, currency)),
        )  # fmt: skip


class SingleLimit(BaseModel):
    """Another limit that one month has."""

    month: Month
    limit: int = Field(examples=[60000])


class BudgetView(BaseModel):
    """A budget, and its present month; null before its first one."""

    id: uuid.UUID
    name: str = Field(examples=["Food"])
    categories: list[str] = Field(examples=[["groceries", "eating-out"]])
    currency: str = Field(examples=["EUR"])
    limit: int = Field(examples=[40000])
    rollover: Literal["none", "unspent", "both"]
    thresholds: list[int] = Field(examples=[[80, 100]])
    start: Month
    limits: list[SingleLimit] = Field(description="of single months, by month")
    now: EnvelopeView | None

    @classmethod
    def of(cls, row: Budget, limits: Mapping[datetime.date, int], now: domain.Envelope | None) -> Self:
        """As it stands. limits: of single months."""
        rollover: Any = row.rollover
        return cls(
            id=row.id, name=row.name, categories=row.categories.split(","), currency=row.currency,
            limit=row.limit_minor, rollover=rollover, start=f"{row.start:%Y-%m}",
            thresholds=[int(each) for each in row.thresholds.split(",") if each],
            limits=[SingleLimit(month=f"{each:%Y-%m}", limit=limits[each]) for each in sorted(limits)],
            now=EnvelopeView.of(now, row.currency) if now else None,
        )  # fmt: skip


class BudgetList(BaseModel):
    """The user's budgets, oldest first."""

    budgets: list[BudgetView]


class MonthList(BaseModel):
    """Months of a budget, oldest first."""

    months: list[EnvelopeView]


class MonthLimitRequest(BaseModel):
    """Another limit for one month; null takes the plan's again."""

    model_config = ConfigDict(extra="forbid")
    limit: Amount | None = Field(description="minor units", examples=[60000])
