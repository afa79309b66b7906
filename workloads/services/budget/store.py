"""Loads and keeps the session user's budgets."""

from __future__ import annotations

import datetime
import uuid
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from workloads.chassis import clock, dialect, facts
from workloads.chassis.events import outbox
from workloads.chassis.facts import Fact as Told
from workloads.chassis.problems import not_found
from workloads.services.budget import domain
from workloads.services.budget.models import Budget, Crossing, Fact, MonthLimit

SERVICE = "budget"


def get(session: Session, budget_id: uuid.UUID, *, lock: bool = False) -> Budget:
    """A budget of the user's. Raises Problem 404."""
    query = select(Budget).where(Budget.id == budget_id)
    found = session.scalar(dialect.locked(query, Budget) if lock else query)
    if found is None:
        raise not_found("budget")
    return found


def every(session: Session) -> list[Budget]:
    """The user's budgets, oldest first."""
    return list(session.scalars(select(Budget).order_by(Budget.created)))


def remove(session: Session, budget_id: uuid.UUID) -> None:
    """Forget a budget. Raises Problem 404."""
    row = get(session, budget_id, lock=True)
    for model in (MonthLimit, Crossing):
        session.execute(delete(model).where(model.budget_id == budget_id))
    session.delete(row)


def limit(session: Session, user: uuid.UUID, budget: Budget, month: datetime.date, minor: int | None) -> None:
    """Another limit for one month; None takes the plan's again."""
    if minor is None:
        session.execute(delete(MonthLimit).where(MonthLimit.budget_id == budget.id, MonthLimit.month == month))
        return
    row = {"budget_id": budget.id, "month": month, "user_id": user, "limit_minor": minor}
    dialect.upsert(session, MonthLimit, [row], key=["budget_id", "month"], update=["limit_minor"])


def limits(session: Session, budget: Budget) -> Mapping[datetime.date, int]:
    """The limits of single months of a budget, by month."""
    query = select(MonthLimit.month, MonthLimit.limit_minor).where(MonthLimit.budget_id == budget.id)
    return {row.month: row.limit_minor for row in session.execute(query)}


def envelopes(session: Session, budget: Budget, until: datetime.date) -> list[domain.Envelope]:
    """Every month of a budget until a month."""
    rollover: Any = budget.rollover
    plan = domain.Plan(budget.start, budget.limit_minor, rollover, limits(session, budget))
    return list(domain.envelopes(plan, _spent(session, budget), until))


def _spent(session: Session, budget: Budget) -> Mapping[datetime.date, int]:
    """By month; what came back (a refund in the category) counts against it."""
    query = select(Fact.date, Fact.minor).where(
        Fact.date >= budget.start, Fact.currency == budget.currency, Fact.removed.is_(False),
        Fact.transfer.is_(False), Fact.category.in_(budget.categories.split(",")),
    )  # fmt: skip
    spent: dict[datetime.date, int] = defaultdict(int)
    for date, minor in session.execute(query):
        spent[domain.month_of(date)] -= minor
    return spent


def keep(session: Session, user: uuid.UUID, told: Sequence[Told]) -> None:
    """Keep facts of one event, and look at the budgets that they may have brought over a threshold.

    One that leaves a category may do so, too, when it is a refund: it is looked at as it was, and as it is.
    """
    kept = select(Fact.category, Fact.date).where(Fact.transaction_id.in_([each.id for each in told]))
    before = {(row.category, domain.month_of(row.date)) for row in session.execute(kept)}
    changed = facts.apply(session, Fact, user, told)
    if changed:
        _watch(session, user, before | {(each.category, domain.month_of(each.date)) for each in changed})


def _watch(session: Session, user: uuid.UUID, touched: Collection[tuple[str, datetime.date]]) -> None:
    """Look at this month of the budgets whose spending changed, and at the last one, which late bookings may change.

    touched: category and month. Whatever month of a budget is touched, this one is looked at: something may roll over.
    A month that was over before the budget was made is not told of.
    """
    this = domain.month_of(clock.today())
    last = domain.month_of(this - datetime.timedelta(days=1))
    for budget in every(session):
        months = {month for category, month in touched if category in budget.categories.split(",")}
        if months and min(months) <= last and domain.month_of(budget.created.date()) <= last:
            check(session, user, budget, last)
        if months:
            check(session, user, budget, this)


def check(session: Session, user: uuid.UUID, budget: Budget, month: datetime.date) -> None:
    """Tell of every threshold that a month's spending has reached and that was not told of yet."""
    found = envelopes(session, budget, month)
    if not found or found[-1].month != month:
        return  # the plan begins later
    for percent in found[-1].crossed([int(each) for each in budget.thresholds.split(",") if each]):
        row = {"budget_id": budget.id, "month": month, "percent": percent, "user_id": user, "at": clock.now()}
        if dialect.insert_new(session, Crossing, row, key=["budget_id", "month", "percent"]):
            told = {"budget_id": str(budget.id), "month": f"{month:%Y-%m}", "percent": percent}
            period = f"{budget.id}:{month:%Y-%m}:{percent}"
            outbox.write(session, SERVICE, "budget.threshold.crossed", user, told | {"period": period})
