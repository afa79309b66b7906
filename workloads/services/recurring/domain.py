"""Series: the same party, about the same amount, at even intervals."""

from __future__ import annotations

import calendar
import datetime
import itertools
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median, median_low
from typing import Literal

Every = Literal["week", "fortnight", "month", "quarter", "year"]
_DAYS: dict[Every, tuple[int, int, int]] = {
    "week": (6, 8, 7), "fortnight": (12, 16, 14), "month": (25, 36, 30), "quarter": (83, 100, 91),
    "year": (350, 380, 365),
}  # fmt: skip
"""Fewest, most and usual days between two occurrences: weekends and short months move them."""
_MONTHS: dict[Every, int] = {"month": 1, "quarter": 3, "year": 12}
_FEWEST = 3
_FEWEST_YEARLY = 2
_EVEN = 0.8
"""Share of the intervals that must fit."""
_ALIKE = 0.25
"""How far an amount may be from the typical one, as a share of it, to belong to the same series."""
_CLOSE = 0.05
"""The same, where one party has several series."""
_RECENT = 3
"""Occurrences of which the middle one says what is expected: a price that was raised is the price to come."""
ENDS_AFTER = 2
"""Expected dates in a row without an occurrence."""


@dataclass(frozen=True)
class Occurrence:
    """A transaction, as far as it matters here. minor: signed minor units."""

    id: uuid.UUID
    date: datetime.date
    minor: int


@dataclass(frozen=True)
class Series:
    """A series. minor: the typical amount of late. spread: the furthest from it. day: of the month, if it matters."""

    every: Every
    day: int
    minor: int
    spread: int
    first: datetime.date
    last: datetime.date
    count: int
    transaction_id: uuid.UUID

    @property
    def next(self) -> datetime.date:
        """When it is expected after its last occurrence."""
        return after(self.every, self.last, self.day)


def after(every: Every, date: datetime.date, day: int) -> datetime.date:
    """The expected date that follows an occurrence or an expected date. day: of the month that it usually falls on."""
    if every not in _MONTHS:
        return date + datetime.timedelta(days=_DAYS[every][2])
    # The occurrence may have slipped across a month's end: go by the usual day that is nearest to it.
    nearest = min((_on_day(date, step, day) for step in (-1, 0, 1)), key=lambda each: abs(each - date))
    return _on_day(nearest, _MONTHS[every], day)


def _on_day(date: datetime.date, months: int, day: int) -> datetime.date:
    """A day of the month so many months later; the month's last where it is shorter."""
    year, month = divmod(date.year * 12 + date.month - 1 + months, 12)
    return datetime.date(year, month + 1, min(day, calendar.monthrange(year, month + 1)[1]))


def grace(every: Every) -> datetime.timedelta:
    """How late an occurrence may be before it counts as missed."""
    low, high, usual = _DAYS[every]
    return datetime.timedelta(days=max(2, high - usual, usual - low))


def expected(every: Every, next_: datetime.date, day: int, until: datetime.date) -> list[datetime.date]:
    """The dates on which it is expected, from the next one until a date, which is included."""
    dates, date = [], next_
    while date <= until:
        dates.append(date)
        date = after(every, date, day)
    return dates


def coming(
    every: Every, next_: datetime.date, day: int, today: datetime.date, until: datetime.date
) -> list[datetime.date]:
    """The same, as of today: one that is late may come today, one that is later than that counts as missed."""
    late = today - grace(every)
    return [max(each, today) for each in expected(every, next_, day, until) if each >= late]


def find(occurrences: Iterable[Occurrence]) -> list[Series]:
    """The series among the transactions of one party in one currency, whatever their order."""
    found: list[Series] = []
    told = list(occurrences)
    for incoming in (False, True):
        side = sorted((o for o in told if o.minor and (o.minor > 0) == incoming), key=lambda o: (o.date, o.id))
        if (whole := _series(side, _ALIKE)) is not None:
            found.append(whole)
        else:
            found += [each for group in _by_amount(side) if (each := _series(group, _CLOSE)) is not None]
    return found


def _by_amount(side: Sequence[Occurrence]) -> list[list[Occurrence]]:
    """Those of about the same amount together, in the order of their dates."""
    groups: list[list[Occurrence]] = []
    for each in sorted(side, key=lambda o: (abs(o.minor), o.date, o.id)):
        if groups and abs(each.minor) - abs(groups[-1][0].minor) <= _CLOSE * abs(groups[-1][0].minor):
            groups[-1].append(each)
        else:
            groups.append([each])
    return [sorted(group, key=lambda o: (o.date, o.id)) for group in groups]


def _series(side: Sequence[Occurrence], tolerance: float) -> Series | None:
    """All of them as one series, if they are one."""
    if len(side) < _FEWEST_YEARLY:
        return None
    typical, lately = (median_low([each.minor for each in some]) for some in (side, side[-_RECENT:]))
    furthest, spread = (max(abs(each.minor - middle) for each in side) for middle in (typical, lately))
    gaps = [(b.date - a.date).days for a, b in itertools.pairwise(side)]
    every = _cadence(gaps)
    if (
        every is None
        or furthest > tolerance * abs(typical)
        or len(side) < (_FEWEST_YEARLY if every == "year" else _FEWEST)
    ):
        return None
    day = _usual_day([each.date for each in side])
    return Series(every, day, lately, spread, side[0].date, side[-1].date, len(side), side[-1].id)


def _cadence(gaps: Sequence[int]) -> Every | None:
    usual = median(gaps)
    for every, (low, high, _) in _DAYS.items():
        fitting = sum(low <= gap <= high for gap in gaps)
        if low <= usual <= high and fitting >= _EVEN * len(gaps):
            return every
    return None


def _usual_day(dates: Sequence[datetime.date]) -> int:
    """The day of the month; the last one counts as 31, so that a month's end stays one."""
    days = [31 if d.day == calendar.monthrange(d.year, d.month)[1] else d.day for d in dates]
    return max(set(days), key=lambda day: (days.count(day), -day))
