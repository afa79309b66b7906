"""What the forecast service answers."""

from __future__ import annotations

import datetime

from pydantic import BaseModel, Field

from workloads.chassis.money import Money
from workloads.services.forecast.models import ProjectedMonth


class MonthView(BaseModel):
    """A month to come; minor units, the balance at its end. 8 of 10 times it is between low and high."""

    month: str = Field(pattern=r"^\d{4}-\d{2}$", examples=["2026-12"])
    start: int = Field(description="balance at its begin, or today's", examples=[184050])
    recurring: int = Field(description="that is expected on its dates", examples=[160000])
    usual: int = Field(description="what else comes and goes", examples=[-95000])
    low: int = Field(examples=[228000])
    middle: int = Field(examples=[249050])
    high: int = Field(examples=[266000])
    middle_decimal: str = Field(examples=["2490.50"])
    below_zero: int = Field(description="chance, in percent, that the balance goes below zero in it", examples=[0])


class CurrencyForecast(BaseModel):
    """The months to come in one currency: all accounts of that currency together."""

    currency: str = Field(examples=["EUR"])
    made: datetime.datetime
    months: list[MonthView]


class Forecast(BaseModel):
    """By currency. Empty until the first one is made, soon after accounts were read."""

    currencies: list[CurrencyForecast]

    @classmethod
    def of(cls, rows: list[ProjectedMonth], months: int) -> Forecast:
        """As it was made."""
        found: dict[str, CurrencyForecast] = {}
        for row in rows:
            one = found.setdefault(row.currency, CurrencyForecast(currency=row.currency, made=row.made, months=[]))
            if len(one.months) < months:
                one.months.append(_view(row))
        return cls(currencies=list(found.values()))


def _view(row: ProjectedMonth) -> MonthView:
    return MonthView(
        month=f"{row.month:%Y-%m}", start=row.start, recurring=row.recurring, usual=row.usual, low=row.low,
        middle=row.middle, high=row.high, middle_decimal=str(Money(row.middle, row.currency)),
        below_zero=row.below_zero,
    )  # fmt: skip
