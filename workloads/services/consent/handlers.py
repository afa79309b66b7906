"""What the consent service does when events come and tasks fall due."""

from __future__ import annotations

import datetime
from contextlib import suppress
from typing import Any

from workloads.chassis import clock, erasure, tasks
from workloads.chassis.events.consumer import Handler, Handling
from workloads.chassis.identity import User
from workloads.chassis.problems import Problem
from workloads.chassis.tasks import Due, TaskHandler
from workloads.services.consent import domain, events, store
from workloads.services.consent.asking import ask_bank
from workloads.services.consent.models import Base

_GRANTS_NOTHING = domain.FINAL | {"received"}


def _grants_nothing(app: Any, user: User, path: str) -> bool:
    """Whether a consent that a bank does not let us end is over there already, or was never authorised."""
    try:
        return app.connector.call("GET", f"{path}/status", user)["status"] in _GRANTS_NOTHING
    except Problem:
        return False


def revoke_at_banks(handling: Handling) -> int:
    """End every consent at its bank, before what is known of it goes. Raises Problem while a bank does not answer."""
    user, ended = handling.app.acting.user(handling.user), 0
    with handling.database.session(handling.user) as session:
        known = [each for each in store.newest_first(session) if each.status not in domain.FINAL]
    for each in known:
        path = f"/banks/{each.bank}/consents/{each.bank_consent_id}"
        try:
            handling.app.connector.call("DELETE", path, user)
        except Problem as problem:  # 404, 409: there it is over already
            if problem.status not in (404, 409) and not _grants_nothing(handling.app, user, path):
                raise
        with handling.database.session(handling.user) as session:
            store.tell(session, handling.user, store.get(session, each.id, lock=True), "terminatedByTpp", "person")
        ended += 1
    return ended


def _warn(due: Due) -> datetime.datetime | None:
    """Raises Problem when the account service does not answer."""
    reaches = _reaches(due)
    with suppress(Problem), due.database.session(due.user) as session:
        events.warn(session, due.user, store.get(session, due.item), reaches=reaches)


def _reaches(due: Due) -> bool:
    """Whether accounts are known to be reached by the consent: a person may have two logins at one bank."""
    if due.app.account is None:
        return False
    accounts = due.app.account.call("GET", "/accounts", due.app.acting.user(due.user))["accounts"]
    return any(each["connected"] and each["consent_id"] == str(due.item) for each in accounts)


def _end(due: Due) -> datetime.datetime | None:
    with suppress(Problem), due.database.session(due.user) as session:
        consent = store.get(session, due.item, lock=True)
        store.tell(session, due.user, consent, "expired", events.ended_by(consent))


_UNDECIDED = ("received", "partiallyAuthorised")


def _poll(due: Due) -> datetime.datetime | None:
    """Ask as often as the bank bears, until the person has decided or the connector gives up. Raises Problem."""
    user = due.app.acting.user(due.user)
    with due.database.session(due.user) as session:
        if (known := store.find(session, due.item)) is None or known.status not in _UNDECIDED:
            return None
    path = f"/banks/{known.bank}/consents/{known.bank_consent_id}/authorisation"
    told = due.app.connector.call("GET", path, user)
    if told["kind"] in ("done", "failed"):
        ask_bank(due.app, user, due.item, None)
        return None
    return clock.now() + datetime.timedelta(seconds=told["ask_again"] or events.LONGEST_PAUSE)


HANDLERS: dict[str, Handler] = {
    erasure.REQUESTED: erasure.handler(events.SERVICE, [Base, tasks.Base], before=revoke_at_banks)
}
TASKS: dict[str, TaskHandler] = {events.WARN: _warn, events.END: _end, events.POLL: _poll}
