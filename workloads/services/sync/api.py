"""The sync service's API."""

from __future__ import annotations

import uuid
from typing import Annotated, Any

from fastapi import APIRouter, BackgroundTasks, FastAPI, Query, Request
from pydantic import AwareDatetime

from workloads.chassis import clock, erasure, tasks
from workloads.chassis.app import UserTransaction, create_app
from workloads.chassis.calls import ServiceClient, person_address
from workloads.chassis.identity import CurrentUser, demands
from workloads.chassis.problems import documented
from workloads.chassis.scopes import Scope
from workloads.services.sync import domain, runs, store
from workloads.services.sync.forms import Quota, RunList, RunView, ScheduleForm
from workloads.services.sync.models import Base
from workloads.services.sync.settings import SyncSettings

router = APIRouter(
    tags=["synchronisation"], dependencies=[demands(Scope.ACCOUNTS_READ)], responses=documented(401, 422, 503)
)


@router.get("/schedule", operation_id="getSchedule")
def schedule(session: UserTransaction, user: CurrentUser) -> ScheduleForm:
    """How often the person's accounts are read with nobody there."""
    return ScheduleForm.of(store.schedule(session, user.id))


@router.put("/schedule", operation_id="replaceSchedule", dependencies=[demands(Scope.ACCOUNTS_WRITE)])
def replace(session: UserTransaction, user: CurrentUser, asked: ScheduleForm) -> ScheduleForm:
    """Say how often, or not at all."""
    row = store.schedule(session, user.id, lock=True)
    row.enabled, row.times_a_day = asked.enabled, asked.times_a_day
    store.plan(session, user.id, row)
    return ScheduleForm.of(row)


@router.get("/quotas/{account_id}", operation_id="getQuota")
def quota(session: UserTransaction, account_id: uuid.UUID) -> Quota:
    """Unattended reads of an account that are left; of one that was never read, all."""
    held, now = store.accesses(session, account_id), clock.now()
    return Quota(
        account_id=account_id, left=domain.left(held, now), per_day=domain.PER_DAY, free_at=domain.free_at(held, now)
    )


@router.get("/runs", operation_id="listRuns")
def list_runs(
    session: UserTransaction,
    before: Annotated[AwareDatetime | None, Query(description="only those that were started earlier")] = None,
) -> RunList:
    """The latest runs, newest first."""
    return RunList(runs=[RunView.of(each) for each in store.runs(session, before)])


@router.post(
    "/runs", operation_id="startRun", dependencies=[demands(Scope.CONSENTS_READ)], responses=documented(409, 502)
)
def start(
    request: Request,
    user: CurrentUser,
    background: BackgroundTasks,
    wait: Annotated[bool, Query(description="false: the answer does not wait for the run's end")] = True,
) -> RunView:
    """Read every account now, because the person asks: that costs none of the unattended reads."""
    app, address = request.app.state, person_address(request)
    with app.database.session(user.id) as session:
        run = store.begin(session, user.id, attended=True)
    if not wait:
        background.add_task(runs.read_behind, app, user, run, address)
        return RunView.of(run)
    return RunView.of(runs.synchronise(app, app.database, user, run, None, address))


HANDLERS = {
    **dict.fromkeys(("consent.authorised", "consent.renewed"), runs.on_consent),
    erasure.REQUESTED: erasure.handler(store.SERVICE, [Base, tasks.Base]),
}


def build(settings: SyncSettings) -> FastAPI:
    """The sync service's application."""

    def prepare(app: FastAPI) -> list[Any]:
        app.state.account = ServiceClient("account", str(settings.account_url), app.state.tls)
        app.state.transaction = ServiceClient("transaction", str(settings.transaction_url), app.state.tls, timeout=240)
        return [app.state.account, app.state.transaction]

    return create_app(
        store.SERVICE, "Synchronisation", settings, [router], prepare=prepare, handlers=HANDLERS,
        tasks={store.RUN: runs.on_time},
    )  # fmt: skip
