"""The forecast service's API."""

from __future__ import annotations

import datetime
from typing import Annotated, Any

from fastapi import APIRouter, FastAPI, Query

from workloads.chassis import clock, erasure, facts, tasks
from workloads.chassis.app import UserTransaction, create_app
from workloads.chassis.calls import ServiceClient
from workloads.chassis.events.consumer import Handling
from workloads.chassis.identity import CurrentUser, demands
from workloads.chassis.problems import documented
from workloads.chassis.scopes import Scope
from workloads.chassis.tasks import Due
from workloads.services.forecast import store
from workloads.services.forecast.forms import Forecast
from workloads.services.forecast.models import Base, Fact
from workloads.services.forecast.settings import ForecastSettings

router = APIRouter(tags=["forecast"], dependencies=[demands(Scope.ACCOUNTS_READ)], responses=documented(401, 422, 503))
_MAKE = "make"
_SETTLES = datetime.timedelta(seconds=5)
"""Events come in groups: one projection after the last of them."""


@router.get("/forecast", operation_id="getForecast")
def read(session: UserTransaction, months: Annotated[int, Query(ge=1, le=store.MONTHS)] = store.MONTHS) -> Forecast:
    """The months to come, this one first, as last projected."""
    return Forecast.of(store.months(session), months)


@router.post("/forecast", operation_id="makeForecast", status_code=202)
def make(session: UserTransaction, user: CurrentUser) -> None:
    """Have it made anew, soon."""
    tasks.schedule(session, _MAKE, user.id, clock.now())


def _on_categorised(handling: Handling) -> None:
    told = facts.of(handling)
    with handling.transaction() as session:
        if facts.apply(session, Fact, handling.user, told):
            tasks.schedule(session, _MAKE, handling.user, clock.now() + _SETTLES)


def _on_change(handling: Handling) -> None:
    with handling.transaction() as session:
        tasks.schedule(session, _MAKE, handling.user, clock.now() + _SETTLES)


def _on_time(due: Due) -> datetime.datetime | None:
    user = due.app.acting.user(due.user)
    accounts = due.app.account.call("GET", "/accounts", user)["accounts"]
    until = clock.today() + datetime.timedelta(days=31 * store.MONTHS)
    expected = due.app.recurring.call("GET", "/expected", user, params={"until": until.isoformat()})["expected"]
    with due.database.session(due.user) as session:
        store.make(session, due.user, accounts, expected)
    tomorrow = clock.today() + datetime.timedelta(days=1)
    return datetime.datetime.combine(tomorrow, datetime.time(4), datetime.UTC) if accounts else None


HANDLERS = {
    facts.CATEGORISED: _on_categorised,
    **dict.fromkeys(("recurring.detected", "account.balance.updated", "account.closed"), _on_change),
    erasure.REQUESTED: erasure.handler(store.SERVICE, [Base, tasks.Base]),
}


def build(settings: ForecastSettings) -> FastAPI:
    """The forecast service's application."""

    def prepare(app: FastAPI) -> list[Any]:
        app.state.account = ServiceClient("account", str(settings.account_url), app.state.tls)
        app.state.recurring = ServiceClient("recurring", str(settings.recurring_url), app.state.tls)
        return [app.state.account, app.state.recurring]

    timers = {_MAKE: _on_time}
    return create_app(store.SERVICE, "Forecast", settings, [router], prepare=prepare, handlers=HANDLERS, tasks=timers)
