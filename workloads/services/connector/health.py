"""How banks do: whether the last calls of all users were answered, kept for all of the connector's processes."""

from __future__ import annotations

import datetime
from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.orm import Session

from workloads.chassis import clock, dialect
from workloads.services.connector.models import BankHealth

_EVERY = datetime.timedelta(minutes=1)
"""How often it is written down that a bank answers: all users' calls would wait for one row."""


@dataclass
class HealthBoard:
    """Writes down what a process sees of banks."""

    _written: dict[str, datetime.datetime] = field(default_factory=dict)

    def tell(self, session: Session, bank: str, status: int | None) -> None:
        """A bank answered a call with this HTTP status; None: it did not answer."""
        now, answered = clock.now(), status is not None and status < 500
        if answered and self._written.get(bank, now - _EVERY) > now - _EVERY:
            return
        dialect.upsert(
            session, BankHealth, [{"bank": bank, "failures": 0, "called": now}], key=["bank"],
            update=["failures", "called"] if answered else ["called"],
        )  # fmt: skip
        if answered:
            self._written[bank] = now
            return
        self._written.pop(bank, None)
        session.scalars(
            dialect.locked(select(BankHealth).where(BankHealth.bank == bank), BankHealth)
        ).one().failures += 1


def every(session: Session) -> dict[str, BankHealth]:
    """What is known of each bank that was called."""
    return {each.bank: each for each in session.scalars(select(BankHealth))}
