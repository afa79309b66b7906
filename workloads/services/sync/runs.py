"""Runs: a person's accounts read with nobody there, as far as the quota lets us."""

from __future__ import annotations

import datetime
import uuid
from typing import Any

import structlog

from workloads.chassis import clock
from workloads.chassis.database import Database
from workloads.chassis.events.consumer import Handling
from workloads.chassis.identity import User
from workloads.chassis.problems import Problem
from workloads.chassis.tasks import Due
from workloads.services.sync import domain, store
from workloads.services.sync.models import Run

SOON = datetime.timedelta(minutes=2)
"""When a new consent is read with nobody there, unless the person who gave it had it read."""
_log = structlog.get_logger(__name__)


def on_consent(handling: Handling) -> None:
    """A bank was connected: read it soon, if it was not read already, and now and then from then on."""
    with handling.transaction() as session:
        read = store.read_since(session, handling.event.time)
        store.plan(session, handling.user, store.schedule(session, handling.user), soon=None if read else SOON)


def read_behind(app: Any, user: User, run: Run, person: str) -> None:
    """A run that nobody waits for. One that fails leaves the schedule as it is: it is made up for soon."""
    try:
        synchronise(app, app.database, user, run, None, person)
    except Problem as problem:
        _log.warning("a run brought nothing", kind=problem.kind)


def on_time(due: Due) -> datetime.datetime | None:
    """It is time to read a person's accounts. None when there is nothing to read any more."""
    user = due.app.acting.user(due.user)
    accounts = due.app.account.call("GET", "/accounts", user)["accounts"]
    connected = [uuid.UUID(each["id"]) for each in accounts if each["connected"]]
    with due.database.session(due.user) as session:
        row = store.schedule(session, due.user)
        if not row.enabled or (accounts and not connected):
            return None
        granted = store.spend(session, due.user, connected)
        run = store.begin(session, due.user, attended=False) if granted or not accounts else None
        again = domain.next_run(row.times_a_day, clock.now())
    if run is not None:
        wanted = [str(each) for each in granted] if accounts else None
        synchronise(due.app, due.database, user, run, wanted)
    return again


def synchronise(
    app: Any, database: Database, user: User, run: Run, accounts: list[str] | None, person: str | None = None
) -> Run:
    """Have the ledger brought up to date. accounts: only these; None reads all. person: the address of who asks.

    What the person had read need not be read again soon: the next unattended run waits its whole time.
    Raises Problem when the transaction service does not answer; the run then never ends.
    """
    body = {"attended": run.attended} | ({"account_ids": accounts} if accounts is not None else {})
    outcome = app.transaction.call("POST", "/synchronisations", user, attended_from=person, json=body)
    with database.session(user.id) as session:
        if run.attended:
            store.plan(session, user.id, store.schedule(session, user.id))
        return store.end(session, user.id, run.id, outcome)
