"""Envelopes: what a plan allows in each month, what was spent of it, and what rolls into the next."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

Rollover = Literal["none", "unspent", "both"]
"""What goes into the next month: nothing; what is left; what is left, or what was spent too much."""


@dataclass(frozen=True)
class Plan:
    """A monthly plan. start: first day of its first month. limit: minor units a month; limits: of single months."""

    start: datetime.date
    limit: int
    rollover: Rollover
    limits: Mapping[datetime.date, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Envelope:
    """A month of a plan, in minor units. carried: from the month before; below zero, it was spent too much."""

    month: datetime.date
    limit: int
    carried: int
    spent: int

    @property
    def available(self) -> int:
        """What may be spent in all."""
        return self.limit + self.carried

    @property
    def left(self) -> int:
        """What may still be spent; below zero, what was spent too much."""
        return self.available - self.spent

    @property
    def percent(self) -> int:
        """How much of it is spent, rounded down; 100 and more when nothing may be spent and something was."""
        if self.available > 0:
            return max(0, self.spent * 100 // self.available)
        return 100 if self.spent > 0 else 0

    def crossed(self, thresholds: Sequence[int]) -> list[int]:
        """The thresholds, in percent, that the spending has reached."""
        if self.available <= 0:
            return sorted(thresholds) if self.spent > 0 else []
        return [each for each in sorted(thresholds) if self.spent * 100 >= each * self.available]


def month_of(date: datetime.date) -> datetime.date:
    """The first day of a date's month."""
    return date.replace(day=1)


def next_month(month: datetime.date) -> datetime.date:
    """The first day of the month after."""
    return (month + datetime.timedelta(days=32)).replace(day=1)


def carry_over(envelope: Envelope, rollover: Rollover) -> int:
    """What goes into the next month."""
    if rollover == "none":
        return 0
    return envelope.left if rollover == "both" else max(0, envelope.left)


def envelopes(plan: Plan, spent: Mapping[datetime.date, int], until: datetime.date) -> Iterator[Envelope]:
    """Every month of a plan from its first one until a month. spent: by month, minor units, positive when spent.

    A month that is to come shows what it will have if nothing more is spent before it.
    """
    month, carried = plan.start, 0
    while month <= until:
        envelope = Envelope(month, plan.limits.get(month, plan.limit), carried, spent.get(month, 0))
        yield envelope
        month, carried = next_month(month), carry_over(envelope, plan.rollover)
