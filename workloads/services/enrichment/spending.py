"""What the session's user spent and received, by month and category."""

from __future__ import annotations

import datetime
from collections import defaultdict

from sqlalchemy import select
from sqlalchemy.orm import Session

from workloads.chassis.money import Money
from workloads.services.enrichment.domain import TRANSFER
from workloads.services.enrichment.forms import SpendingLine
from workloads.services.enrichment.models import Assignment


def lines(session: Session, date_from: datetime.date, date_to: datetime.date) -> list[SpendingLine]:
    """Sums in a period, both dates included, oldest month first."""
    query = select(Assignment.date, Assignment.category, Assignment.currency, Assignment.minor).where(
        Assignment.date >= date_from, Assignment.date <= date_to, Assignment.removed.is_(False),
        Assignment.category != TRANSFER,
    )  # fmt: skip
    sums: dict[tuple[str, str, str], tuple[int, int]] = defaultdict(lambda: (0, 0))
    for date, category, currency, minor in session.execute(query):
        key = f"{date:%Y-%m}", category, currency
        total, count = sums[key]
        sums[key] = total + minor, count + 1
    return [
        SpendingLine(
            month=month, category=category, currency=currency, minor=total,
            decimal=str(Money(total, currency)), transactions=count,
        )
        for (month, category, currency), (total, count) in sorted(sums.items())
    ]  # fmt: skip
