"""The recurring service's API."""

from __future__ import annotations

import datetime
import uuid
from typing import Annotated, Any

from fastapi import APIRouter, FastAPI, Query

from workloads.chassis import clock, erasure, facts, tasks
from workloads.chassis.app import UserTransaction, create_app
from workloads.chassis.events.consumer import Handling, Unprocessable
from workloads.chassis.identity import demands
from workloads.chassis.problems import documented
from workloads.chassis.scopes import Scope
from workloads.chassis.tasks import Due
from workloads.services.recurring import domain, store
from workloads.services.recurring.forms import ExpectedList, ExpectedView, SeriesChange, SeriesList, SeriesView
from workloads.services.recurring.models import Base, Fact
from workloads.services.recurring.settings import RecurringSettings

router = APIRouter(tags=["recurring"], dependencies=[demands(Scope.ACCOUNTS_READ)], responses=documented(401, 422, 503))
_QUARTER = datetime.timedelta(days=92)
_LONGEST = datetime.timedelta(days=400)


@router.get("/series", operation_id="listSeries")
def list_all(session: UserTransaction) -> SeriesList:
    """The user's series, the next expected first."""
    return SeriesList(series=[SeriesView.of(each) for each in store.every(session)])


@router.get("/series/{series_id}", operation_id="getSeries", responses=documented(404))
def read(session: UserTransaction, series_id: uuid.UUID) -> SeriesView:
    """One series."""
    return SeriesView.of(store.get(session, series_id))


@router.patch(
    "/series/{series_id}",
    operation_id="changeSeries",
    dependencies=[demands(Scope.ACCOUNTS_WRITE)],
    responses=documented(404),
)
def change(session: UserTransaction, series_id: uuid.UUID, asked: SeriesChange) -> SeriesView:
    """Name a series, or say that it is of no interest."""
    row = store.get(session, series_id)
    for name, value in asked.model_dump(exclude_unset=True).items():
        if name == "name" or value is not None:
            setattr(row, name, value)
    return SeriesView.of(row)


@router.get("/expected", operation_id="listExpected")
def expected(
    session: UserTransaction,
    until: Annotated[datetime.date | None, Query(description="in three months, if absent; in 400 days at most")] = None,
) -> ExpectedList:
    """What is expected from today on, soonest first."""
    today = clock.today()
    last = min(until or today + _QUARTER, today + _LONGEST)
    found = []
    for row in store.every(session):
        if row.ended or row.ignored:
            continue
        every: Any = row.every
        about = {"series_id": row.id, "minor": row.minor, "currency": row.currency, "spread": row.spread}
        for date in domain.coming(every, row.next, row.day, today, last):
            found.append(ExpectedView(date=date, party=row.party, **about))
    return ExpectedList(expected=sorted(found, key=lambda each: (each.date, each.series_id)))


def _on_categorised(handling: Handling) -> None:
    told = facts.of(handling)
    with handling.transaction() as session:
        changed = facts.apply(session, Fact, handling.user, told)
        store.look(session, handling.user, {each.party for each in changed})


def _on_read(handling: Handling) -> None:
    try:
        accounts = [uuid.UUID(each) for each in handling.event.data["accounts"]]
    except (KeyError, TypeError, ValueError):
        raise Unprocessable("its accounts are malformed") from None
    if accounts:
        with handling.transaction() as session:
            store.read(session, handling.user, accounts, handling.event.time)


def _on_overdue(due: Due) -> datetime.datetime | None:
    with due.database.session(due.user) as session:
        return store.miss(session, due.user, due.item)


HANDLERS = {
    facts.CATEGORISED: _on_categorised,
    "sync.completed": _on_read,
    erasure.REQUESTED: erasure.handler(store.SERVICE, [Base, tasks.Base]),
}


def build(settings: RecurringSettings) -> FastAPI:
    """The recurring service's application."""
    timers = {store.MISSED: _on_overdue}
    return create_app(store.SERVICE, "Recurring payments", settings, [router], handlers=HANDLERS, tasks=timers)
