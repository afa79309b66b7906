"""The budget service's API."""

from __future__ import annotations

import datetime
import uuid
from typing import Annotated

from fastapi import APIRouter, FastAPI, Path, Query
from sqlalchemy.orm import Session

from workloads.chassis import clock, erasure, facts
from workloads.chassis.app import UserTransaction, create_app
from workloads.chassis.events.consumer import Handling
from workloads.chassis.identity import CurrentUser, demands
from workloads.chassis.problems import documented
from workloads.chassis.scopes import Scope
from workloads.services.budget import domain, store
from workloads.services.budget.forms import (
    BudgetList,
    BudgetRequest,
    BudgetView,
    EnvelopeView,
    Month,
    MonthLimitRequest,
    MonthList,
    first_day,
)
from workloads.services.budget.models import Base, Budget
from workloads.services.budget.settings import BudgetSettings

router = APIRouter(tags=["budgets"], dependencies=[demands(Scope.ACCOUNTS_READ)], responses=documented(401, 422, 503))
_WRITES = [demands(Scope.ACCOUNTS_WRITE)]
_MISSING = documented(404)
_LONGEST = datetime.timedelta(days=5 * 366)


def _view(session: Session, row: Budget) -> BudgetView:
    this = domain.month_of(clock.today())
    found = store.envelopes(session, row, this)
    return BudgetView.of(row, store.limits(session, row), found[-1] if found else None)


@router.get("/budgets", operation_id="listBudgets")
def list_all(session: UserTransaction) -> BudgetList:
    """The user's budgets, and how each stands this month."""
    return BudgetList(budgets=[_view(session, each) for each in store.every(session)])


@router.post("/budgets", operation_id="createBudget", dependencies=_WRITES, status_code=201)
def create(session: UserTransaction, user: CurrentUser, asked: BudgetRequest) -> BudgetView:
    """A new plan."""
    row = Budget(created=clock.now())
    asked.write(row)
    session.add(row)
    session.flush()
    store.check(session, user.id, row, domain.month_of(clock.today()))
    return _view(session, row)


@router.get("/budgets/{budget_id}", operation_id="getBudget", responses=_MISSING)
def read(session: UserTransaction, budget_id: uuid.UUID) -> BudgetView:
    """A budget, and how it stands this month."""
    return _view(session, store.get(session, budget_id))


@router.put("/budgets/{budget_id}", operation_id="replaceBudget", dependencies=_WRITES, responses=_MISSING)
def replace(session: UserTransaction, user: CurrentUser, budget_id: uuid.UUID, asked: BudgetRequest) -> BudgetView:
    """Change a plan, for all its months. What was told of this month is not told again."""
    row = store.get(session, budget_id, lock=True)
    asked.write(row)
    session.flush()
    store.check(session, user.id, row, domain.month_of(clock.today()))
    return _view(session, row)


@router.delete(
    "/budgets/{budget_id}", operation_id="deleteBudget", dependencies=_WRITES, status_code=204, responses=_MISSING
)
def delete(session: UserTransaction, budget_id: uuid.UUID) -> None:
    """Forget a budget."""
    store.remove(session, budget_id)


@router.get("/budgets/{budget_id}/months", operation_id="listBudgetMonths", responses=_MISSING)
def months(
    session: UserTransaction,
    budget_id: uuid.UUID,
    until: Annotated[Month | None, Query(description="six months from now, if absent; five years at most")] = None,
) -> MonthList:
    """Every month of a budget from its first one on, those to come included."""
    row, this = store.get(session, budget_id), domain.month_of(clock.today())
    last = first_day(until) if until else domain.month_of(this + datetime.timedelta(days=183))
    found = store.envelopes(session, row, min(last, domain.month_of(max(this, row.start) + _LONGEST)))
    return MonthList(months=[EnvelopeView.of(each, row.currency) for each in found[-120:]])


@router.put(
    "/budgets/{budget_id}/months/{month}", operation_id="limitBudgetMonth", dependencies=_WRITES, responses=_MISSING
)
def limit(
    session: UserTransaction,
    user: CurrentUser,
    budget_id: uuid.UUID,
    month: Annotated[Month, Path()],
    asked: MonthLimitRequest,
) -> MonthList:
    """Another limit for one month of a budget; the answer is that month, none when it is before the first."""
    row, day = store.get(session, budget_id, lock=True), first_day(month)
    store.limit(session, user.id, row, day, asked.limit)
    store.check(session, user.id, row, domain.month_of(clock.today()))
    if day > domain.month_of(max(clock.today(), row.start) + _LONGEST):
        return MonthList(months=[])
    found = store.envelopes(session, row, day)
    return MonthList(months=[EnvelopeView.of(each, row.currency) for each in found[-1:]])


def _on_categorised(handling: Handling) -> None:
    told = facts.of(handling)
    with handling.transaction() as session:
        store.keep(session, handling.user, told)


HANDLERS = {facts.CATEGORISED: _on_categorised, erasure.REQUESTED: erasure.handler(store.SERVICE, [Base])}


def build(settings: BudgetSettings) -> FastAPI:
    """The budget service's application."""
    return create_app(store.SERVICE, "Budgets", settings, [router], handlers=HANDLERS)
