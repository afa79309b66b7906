"""Asking the bank, by way of the connector, where a consent stands; a new one is read at once."""

from __future__ import annotations

import datetime
import uuid
from typing import Any

import structlog
from fastapi import Request

from workloads.chassis.calls import ServiceClient
from workloads.chassis.identity import User
from workloads.chassis.problems import Problem
from workloads.services.consent import domain, events, store
from workloads.services.consent.forms import ConsentView

_log = structlog.get_logger(__name__)


def connector(request: Request) -> ServiceClient:
    """The way to the banks."""
    return request.app.state.connector


def ask_bank(app: Any, user: User, consent_id: uuid.UUID, person: str | None) -> ConsentView:
    """The consent as the bank tells it now; what changed is kept. Raises Problem.

    app: the application's state. person: the address of who asks; None when nobody does.
    """
    with app.database.session(user.id) as session:
        known = store.get(session, consent_id)
        if known.status in domain.FINAL:
            return ConsentView.of(known, store.now(session))
    before = known.status
    path = f"/banks/{known.bank}/consents/{known.bank_consent_id}/status"
    asked = {"until": "true"} if before != "valid" else {}
    told = app.connector.call("GET", path, user, attended_from=person, params=asked)
    with app.database.session(user.id) as session:
        known = store.get(session, consent_id, lock=True)
        if told.get("valid_until"):
            known.valid_until = datetime.date.fromisoformat(told["valid_until"])
        store.tell(session, user.id, known, told["status"], "bank")
        now = store.now(session)
        if ConsentView.of(known, now).status == "expired":
            store.tell(session, user.id, known, "expired", events.ended_by(known))
    if person and known.status == "valid" != before:
        _read_at_once(app, user, person)
    return ConsentView.of(known, now)


def _read_at_once(app: Any, user: User, person: str) -> None:
    """Have the new consent read while the person who gave it is there. If that fails, the schedule does it soon."""
    if app.sync is None:
        return
    try:
        app.sync.call("POST", "/runs", user, attended_from=person, params={"wait": "false"})
    except Problem as problem:
        _log.warning("a new consent is not read at once", kind=problem.kind)
