"""The enrichment service's API."""

from __future__ import annotations

import datetime
import uuid
from typing import Annotated, Any

from fastapi import APIRouter, FastAPI, Query

from workloads.chassis import clock, erasure, tasks
from workloads.chassis.app import UserTransaction, create_app
from workloads.chassis.calls import ServiceClient
from workloads.chassis.identity import CurrentUser, demands
from workloads.chassis.problems import documented
from workloads.chassis.scopes import Scope
from workloads.services.enrichment import domain, ledger, spending, store
from workloads.services.enrichment.events import SERVICE
from workloads.services.enrichment.forms import (
    AssignmentView,
    CategoryList,
    CategoryView,
    Correction,
    CorrectionList,
    RuleList,
    RuleRequest,
    RuleView,
    Spending,
)
from workloads.services.enrichment.models import Base, Rule
from workloads.services.enrichment.settings import EnrichmentSettings

router = APIRouter(
    tags=["enrichment"], dependencies=[demands(Scope.ACCOUNTS_READ)], responses=documented(401, 422, 503)
)
_WRITES = [demands(Scope.ACCOUNTS_WRITE)]
HANDLERS = {
    **dict.fromkeys(
        ("transactions.imported", "transaction.booked", "transaction.amended", "transaction.removed"), ledger.on_changed
    ),
    erasure.REQUESTED: erasure.handler(SERVICE, [Base, tasks.Base]),
}
_YEAR = datetime.timedelta(days=365)


@router.get("/categories", operation_id="listCategories")
def categories(user: CurrentUser) -> CategoryList:
    """Every category there is."""
    found = domain.categories().values()
    return CategoryList(categories=[CategoryView(slug=c.slug, name=c.name, income=c.income) for c in found])


@router.get("/assignments/{transaction_id}", operation_id="getAssignment", responses=documented(404))
def read(session: UserTransaction, transaction_id: uuid.UUID) -> AssignmentView:
    """What a transaction is, and by what that was seen."""
    return AssignmentView.of(store.get(session, transaction_id))


@router.put(
    "/assignments/{transaction_id}", operation_id="correctAssignment", dependencies=_WRITES, responses=documented(404)
)
def correct(
    session: UserTransaction, user: CurrentUser, transaction_id: uuid.UUID, asked: Correction
) -> AssignmentView:
    """Say what a transaction is. It stays so, whatever rules or knowledge say later."""
    row = store.correct(session, user.id, transaction_id, asked.category, same_party=asked.same_party)
    return AssignmentView.of(row)


@router.delete(
    "/assignments/{transaction_id}",
    operation_id="withdrawCorrection",
    dependencies=_WRITES,
    status_code=204,
    responses=documented(404),
)
def uncorrect(session: UserTransaction, user: CurrentUser, transaction_id: uuid.UUID) -> None:
    """Take back what was said on a transaction, of it and its other side: soon it is what rules and knowledge say."""
    store.uncorrect(session, user.id, transaction_id)


@router.get("/corrections", operation_id="listCorrections")
def corrections(session: UserTransaction) -> CorrectionList:
    """What the person said of single transactions, and of everything with one other side."""
    return CorrectionList.of(*store.corrections(session))


@router.get("/rules", operation_id="listRules")
def rules(session: UserTransaction) -> RuleList:
    """The person's rules, newest first."""
    return RuleList(rules=[RuleView.of(each) for each in store.rules_of(session)])


@router.post("/rules", operation_id="createRule", dependencies=_WRITES, status_code=201)
def create_rule(session: UserTransaction, user: CurrentUser, asked: RuleRequest) -> RuleView:
    """A new rule, also for the transactions that are there already."""
    words = " ".join(domain.fold(each) for each in asked.words)
    rule = Rule(words=words, least=asked.least, most=asked.most, category=asked.category, created=clock.now())
    store.add_rule(session, user.id, rule)
    return RuleView.of(rule)


@router.delete(
    "/rules/{rule_id}", operation_id="deleteRule", dependencies=_WRITES, status_code=204, responses=documented(404)
)
def delete_rule(session: UserTransaction, user: CurrentUser, rule_id: uuid.UUID) -> None:
    """Forget a rule; what it said is looked at again."""
    store.remove_rule(session, user.id, rule_id)


@router.get("/spending", operation_id="getSpending")
def spent(
    session: UserTransaction,
    date_from: Annotated[datetime.date | None, Query(description="a year ago, if absent")] = None,
    date_to: Annotated[datetime.date | None, Query(description="today, if absent")] = None,
) -> Spending:
    """Sums by month and category, of at most the period asked for."""
    last = date_to or clock.today()
    first = date_from or max(last, datetime.date(2, 1, 1)) - _YEAR
    return Spending(lines=spending.lines(session, first, last))


def build(settings: EnrichmentSettings) -> FastAPI:
    """The enrichment service's application."""

    def prepare(app: FastAPI) -> list[Any]:
        app.state.transaction = ServiceClient("transaction", str(settings.transaction_url), app.state.tls)
        return [app.state.transaction]

    timers = {store.AGAIN: ledger.look_again}
    return create_app(
        SERVICE, "Categories and merchants", settings, [router], prepare=prepare, handlers=HANDLERS, tasks=timers
    )
