"""Projection: what recurs comes on its dates; all else as in weeks drawn from the past (a block bootstrap).

Drawing whole weeks keeps what belongs together: quiet Mondays, the shopping on Saturdays. Source of the method:
Künsch, "The jackknife and the bootstrap for general stationary observations", Annals of Statistics 17 (1989).
"""

from __future__ import annotations

import calendar
import datetime
import random
import uuid
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass

PAST = datetime.timedelta(days=182)
"""How much of the past is drawn from."""
REMEMBERED = datetime.timedelta(days=400)
"""How far back is looked for the account that a series is paid from: it may recur once a year."""
_SAME = 0.5
"""A payment of a series' party is one of the series when it is no further from it than this share: prices change."""
_WEEK = 7
_PATHS = 400
_LOW, _HIGH = 0.1, 0.9


@dataclass(frozen=True)
class Flow:
    """Money that comes or goes on a date. minor: signed minor units."""

    date: datetime.date
    minor: int


@dataclass(frozen=True)
class Payment:
    """A transaction of the past. minor: signed minor units. party: stands for the other side."""

    date: datetime.date
    minor: int
    party: str
    account_id: uuid.UUID


@dataclass(frozen=True)
class Expected:
    """An occurrence to come of a series. minor: signed minor units. spread: of the series, the furthest from it."""

    date: datetime.date
    minor: int
    spread: int
    party: str

    def is_of(self, payment: Payment) -> bool:
        """Whether a payment is one of the series: a shop that has a subscription sells other things, too."""
        near = max(self.spread, _SAME * abs(self.minor))
        same = payment.party == self.party and (payment.minor > 0) == (self.minor > 0)
        return same and abs(payment.minor - self.minor) <= near


def sorted_out(
    payments: Sequence[Payment], expected: Sequence[Expected], accounts: Collection[uuid.UUID]
) -> tuple[list[Flow], list[Flow]]:
    """What does not recur, and what is expected, of these accounts: the balance that is projected is theirs.

    A series is of the account that it was paid from, or to, last.
    """
    of_party: dict[str, list[Expected]] = defaultdict(list)
    for one in expected:
        of_party[one.party].append(one)
    usual: list[Flow] = []
    last: dict[Expected, Payment] = {}
    for each in sorted(payments, key=lambda payment: payment.date):
        series = [one for one in of_party.get(each.party, ()) if one.is_of(each)]
        last |= dict.fromkeys(series, each)
        if not series and each.account_id in accounts:
            usual.append(Flow(each.date, each.minor))
    coming = [each for each in expected if each not in last or last[each].account_id in accounts]
    return usual, [Flow(each.date, each.minor) for each in coming]


@dataclass(frozen=True)
class Month:
    """A projected month, in minor units. start: the balance at its begin, or today. recurring: that is expected in it.

    usual: what else comes and goes, in the middle of all paths. low, middle, high: of the balance at its end; 8 of 10
    paths end between low and high. below_zero: percent of the paths that go below zero in it.
    """

    month: datetime.date
    start: int
    recurring: int
    usual: int
    low: int
    middle: int
    high: int
    below_zero: int


def daily(flows: Sequence[Flow], today: datetime.date) -> list[int]:
    """The sums of past days that are drawn from: whole weeks up to yesterday, of six months at most."""
    if not flows:
        return []
    first = max(min(each.date for each in flows), today - PAST)
    days = (today - first).days // _WEEK * _WEEK
    first = today - datetime.timedelta(days=days)
    sums = [0] * days
    for each in flows:
        position = (each.date - first).days
        if 0 <= position < days:
            sums[position] += each.minor
    return sums


def project(
    balance: int, past: Sequence[int], expected: Sequence[Flow], today: datetime.date, months: int, seed: int
) -> list[Month]:
    """The months to come, this one first.

    balance: today's, minor units. past: what ``daily`` gives, of all that does not recur. expected: what recurs, from
    tomorrow on. seed: the same one gives the same projection.
    """
    ends = _month_ends(today, months)
    days = [today + datetime.timedelta(days=n + 1) for n in range((ends[-1] - today).days)]
    fixed = [0] * len(days)
    for each in expected:
        if days and each.date <= days[-1]:
            fixed[max((each.date - days[0]).days, 0)] += each.minor
    # Of every month, the index after its last day; this month's is 0 on its last day.
    bounds = [(end - today).days for end in ends]
    paths = [_path(balance, past, fixed, bounds, random.Random(f"{seed}:{n}")) for n in range(_PATHS)]  # noqa: S311
    found, start, begin = [], balance, 0
    for n, (end, bound) in enumerate(zip(ends, bounds, strict=True)):
        closing = sorted(path[n][0] for path in paths)
        middle, recurring = closing[_PATHS // 2], sum(fixed[begin:bound])
        found.append(
            Month(
                month=end.replace(day=1), start=start, recurring=recurring, usual=middle - start - recurring,
                low=closing[int(_LOW * _PATHS)], middle=middle, high=closing[int(_HIGH * _PATHS) - 1],
                below_zero=100 * sum(path[n][1] < 0 for path in paths) // _PATHS,
            )
        )  # fmt: skip
        start, begin = middle, bound
    return found


def _path(
    balance: int, past: Sequence[int], fixed: Sequence[int], bounds: Sequence[int], draw: random.Random
) -> list[tuple[int, int]]:
    """One way it may go: of every month, the balance at its end and its lowest."""
    weeks, months, begin = len(past) // _WEEK, [], 0
    drawn: Sequence[int] = ()
    for bound in bounds:
        lowest = balance
        for n in range(begin, bound):
            day = (n + 1) % _WEEK  # a past week begins on today's weekday, and the first day to come is tomorrow
            if weeks and (day == 0 or not drawn):
                start = draw.randrange(weeks) * _WEEK
                drawn = past[start : start + _WEEK]
            balance += fixed[n] + (drawn[day] if drawn else 0)
            lowest = min(lowest, balance)
        months.append((balance, lowest))
        begin = bound
    return months


def _month_ends(today: datetime.date, months: int) -> list[datetime.date]:
    ends, year, month = [], today.year, today.month
    for _ in range(months):
        ends.append(datetime.date(year, month, calendar.monthrange(year, month)[1]))
        year, month = (year + 1, 1) if month == 12 else (year, month + 1)
    return ends
