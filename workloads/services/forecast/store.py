"""Loads and keeps the session user's projection."""

from __future__ import annotations

import datetime
import uuid
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from workloads.chassis import clock
from workloads.chassis.events import outbox
from workloads.services.forecast import domain
from workloads.services.forecast.models import Fact, ProjectedMonth

SERVICE = "forecast"
MONTHS = 6
_BALANCES = ("interimBooked", "closingBooked", "openingBooked", "expected", "interimAvailable", "closingAvailable")
"""XS2A's balance types, the one to go by first."""


def months(session: Session) -> list[ProjectedMonth]:
    """The projection, by currency and month."""
    return list(session.scalars(select(ProjectedMonth).order_by(ProjectedMonth.currency, ProjectedMonth.month)))


def balances(accounts: Sequence[dict[str, Any]]) -> Mapping[str, int]:
    """What the accounts hold today, by currency, minor units."""
    held: dict[str, int] = defaultdict(int)
    for account in accounts:
        told = {(each["currency"], each["kind"]): each["minor"] for each in account["balances"]}
        for currency in dict.fromkeys(currency for currency, _ in told):
            kind = next((each for each in _BALANCES if (currency, each) in told), None)
            if kind and account["connected"]:
                held[currency] += told[currency, kind]
    return held


def make(
    session: Session, user: uuid.UUID, accounts: Sequence[dict[str, Any]], expected: Sequence[dict[str, Any]]
) -> None:
    """Project anew, from what the accounts hold, what is expected and what the facts tell of the past."""
    today, now = clock.today(), clock.now()
    connected = {uuid.UUID(each["id"]) for each in accounts if each["connected"]}
    session.execute(delete(ProjectedMonth))
    for currency, balance in balances(accounts).items():
        coming = [_expected(each) for each in expected if each["currency"] == currency]
        usual, flows = domain.sorted_out(_payments(session, currency, today), coming, connected)
        past = domain.daily(usual, today)
        for each in domain.project(balance, past, flows, today, MONTHS, user.int % 2**32):
            session.add(ProjectedMonth(user_id=user, currency=currency, made=now, **vars(each)))
        told = {"currency": currency, "months": MONTHS}
        outbox.write(session, SERVICE, "forecast.updated", user, told)


def _expected(told: dict[str, Any]) -> domain.Expected:
    date = datetime.date.fromisoformat(told["date"])
    return domain.Expected(date, told["minor"], told["spread"], told["party"])


def _payments(session: Session, currency: str, today: datetime.date) -> list[domain.Payment]:
    """What was paid and received, without what moves between the person's own accounts."""
    query = select(Fact.date, Fact.minor, Fact.party, Fact.account_id).where(
        Fact.date >= today - domain.REMEMBERED, Fact.date < today, Fact.currency == currency, Fact.removed.is_(False),
        Fact.transfer.is_(False),
    )  # fmt: skip
    return [domain.Payment(*row) for row in session.execute(query)]
