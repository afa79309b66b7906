"""The quota of unattended reads (RTS on SCA, Art. 36(5)): four in any 24 hours an account; attended ones are free."""

from __future__ import annotations

import datetime
from collections.abc import Iterable

PER_DAY = 4
DAY = datetime.timedelta(hours=24)
SLACK = datetime.timedelta(minutes=2)
"""Banks' clocks are not ours: an access counts a little longer here than there."""


def counted(accesses: Iterable[datetime.datetime], now: datetime.datetime) -> list[datetime.datetime]:
    """The accesses that still count, oldest first.

    One dated later than now was made under a clock that was ahead: before now, nobody knows when.
    """
    return sorted(min(each, now) for each in accesses if each > now - DAY - SLACK)


def left(accesses: Iterable[datetime.datetime], now: datetime.datetime) -> int:
    """How many more are allowed now."""
    return max(0, PER_DAY - len(counted(accesses, now)))


def free_at(accesses: Iterable[datetime.datetime], now: datetime.datetime) -> datetime.datetime:
    """When another one is allowed: now, or when enough of them are a day old."""
    held = counted(accesses, now)
    return now if len(held) < PER_DAY else held[len(held) - PER_DAY] + DAY + SLACK


def next_run(times_a_day: int, now: datetime.datetime) -> datetime.datetime:
    """When to read again, so that the reads of a day are spread over it."""
    return now + DAY / times_a_day + SLACK
