"""Reads what changed in the ledger, page by page, and says what it is. An event only says that there is something."""

from __future__ import annotations

import datetime
import uuid
from typing import Any

from workloads.chassis.database import Database
from workloads.chassis.events.consumer import Handling
from workloads.chassis.tasks import Due
from workloads.services.enrichment import store


def on_changed(handling: Handling) -> None:
    """The ledger changed: read on from where it was read last."""
    read_on(handling.app, handling.database, handling.user)
    with handling.transaction():
        pass  # the work is done: a repeated event would find nothing new either


def read_on(app: Any, database: Database, user: uuid.UUID) -> None:
    """Read until the ledger's end; each page is one transaction, and may be read by another worker instead."""
    with database.session(user) as session:
        after = store.known_revision(session)
    while True:
        page = _page(app, user, after)
        changes = page["changes"]
        if not changes:
            return
        with database.session(user) as session:
            head = store.progress(session, user)
            if head.revision == after:
                store.keep(session, user, head, changes, store.word(session))
                head.revision = changes[-1]["revision"]
            after = head.revision
        if page["complete"]:
            return


def look_again(due: Due) -> datetime.datetime | None:
    """The person's rules changed: look at the whole ledger again, without moving on in it."""
    after = 0
    while True:
        with due.database.session(due.user) as session:
            known = store.known_revision(session)
        page = _page(due.app, due.user, after)
        with due.database.session(due.user) as session:
            head = store.progress(session, due.user)
            if head.revision != known:
                continue  # read on meanwhile: this page may tell what is no longer so
            mine = [each for each in page["changes"] if each["revision"] <= head.revision]
            store.keep(session, due.user, head, mine, store.word(session))
        if page["complete"]:
            return None
        after = page["changes"][-1]["revision"]


def _page(app: Any, user: uuid.UUID, after: int) -> dict[str, Any]:
    return app.transaction.call("GET", "/transaction-changes", app.acting.user(user), params={"after": after})
