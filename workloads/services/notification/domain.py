"""What a person is told of, when it is not told, and what spending is unusual."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Literal
from zoneinfo import ZoneInfo

Kind = Literal[
    "budget-threshold", "consent-expiring", "consent-expired", "payment-missed", "sync-failing", "unusual-spending",
    "export-ready", "ticket-answered", "bookings-withdrawn",
]  # fmt: skip
KINDS: tuple[Kind, ...] = Kind.__args__  # type: ignore[attr-defined]  # typing's documented content
URGENT: frozenset[Kind] = frozenset({"export-ready"})
"""Done in the person's name just now, perhaps by another: quiet hours do not hold it back."""
_FEWEST = 12
"""Transactions of a category that must be known before one can be unusual."""
_TIMES_LARGEST = 2
_TIMES_MEDIAN = 3


@dataclass(frozen=True)
class QuietHours:
    """When a person is not disturbed; start and end are local times, and may lie on two days."""

    start: datetime.time
    end: datetime.time
    zone: ZoneInfo

    def until(self, now: datetime.datetime) -> datetime.datetime | None:
        """When the quiet hours that it is in end; None when it is in none. now: aware."""
        local = now.astimezone(self.zone)
        time = local.time()
        if self.start == self.end:
            return None
        over_midnight = self.start > self.end
        inside = (time >= self.start or time < self.end) if over_midnight else self.start <= time < self.end
        if not inside:
            return None
        day = local.date() + datetime.timedelta(days=1 if over_midnight and time >= self.start else 0)
        end = datetime.datetime.combine(day, self.end, self.zone)
        first, second = (end.replace(fold=fold).astimezone(datetime.UTC) for fold in (0, 1))
        return first if first > now else second  # where clocks go back, a local time comes twice


def unusual(minor: int, earlier: Sequence[int]) -> bool:
    """Whether spending is twice the largest of its category in the past months.

    minor: signed minor units. earlier: of the same category and currency.
    """
    spent = [-each for each in earlier if each < 0]
    return len(spent) >= _FEWEST and -minor >= _TIMES_LARGEST * max(spent)


def notable(minor: int, spent: Sequence[int]) -> bool:
    """Whether it is no small amount to the person: three times the median of what they spend at a time.

    A currency's own habits tell what is small in it, whatever it is worth and however many digits it has.
    minor: signed minor units. spent: what was spent in the same currency, of every category, in signed minor units.
    """
    return bool(spent) and -minor >= _TIMES_MEDIAN * -median(spent)


Reason = Literal["consent", "quota", "unavailable", "answer", "ours"]
"""Why accounts could not be read, as far as it helps a person to know."""
_REASONS: Mapping[str, Reason] = {
    "consent-expired": "consent",
    "consent-invalid": "consent",
    "bank-quota-exceeded": "quota",
    "quota-exhausted": "quota",
    "bank-unreachable": "unavailable",
    "bank-timeout": "unavailable",
    "bank-failed": "unavailable",
    "not-found": "answer",
}


def reason(kind: str) -> Reason:
    """Why, of a problem's kind. Other kinds that begin with "bank" are about what the bank answered."""
    return _REASONS.get(kind) or ("answer" if kind.startswith("bank-") else "ours")
