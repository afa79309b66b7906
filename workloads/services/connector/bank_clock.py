"""A bank's clock: how far it is from ours, as its answers' Date says (RFC 9110, section 6.6.1).

What a bank judges by its own clock is told in it: the Date of a signed request, an assertion's times, until when a
consent is wanted, which day is today. What we keep is told in ours.
"""

from __future__ import annotations

import datetime
from email.utils import parsedate_to_datetime

import structlog

from workloads.chassis import clock

_NEAR = datetime.timedelta(seconds=30)
"""So near, it is the same: Date has whole seconds, and the answer was on its way."""
_FURTHEST = datetime.timedelta(days=7)
"""Further away it is no clock that is wrong, but a Date that means nothing: nothing is dated at its will."""
_log = structlog.get_logger(__name__)


class BankClock:
    """The clock of one bank, as its last answer told it; ours until then."""

    def __init__(self, bank: str) -> None:
        self._bank, self._ahead = bank, datetime.timedelta()

    def tell(self, date: str | None) -> None:
        """An answer of just now came with this Date; one that can't be read is none."""
        try:
            told = parsedate_to_datetime(date) if date else None
        except ValueError:
            return
        if told is None:
            return
        ahead = told.replace(tzinfo=told.tzinfo or datetime.UTC) - clock.now()
        if _NEAR < abs(ahead) <= _FURTHEST:
            if abs(ahead - self._ahead) > _NEAR:
                _log.warning("a bank's clock is not ours", bank=self._bank, ahead_seconds=round(ahead.total_seconds()))
            self._ahead = ahead
        else:
            self._ahead = datetime.timedelta()

    def now(self) -> datetime.datetime:
        """The present moment at the bank, in UTC."""
        return clock.now() + self._ahead

    def today(self) -> datetime.date:
        """The present date at the bank, in UTC."""
        return self.now().date()
