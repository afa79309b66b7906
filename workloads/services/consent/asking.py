"""Asking the bank, by way of the connector, where a consent stands."""

from __future__ import annotations

import uuid

from fastapi import Request

from workloads.chassis import clock
from workloads.chassis.calls import ServiceClient, person_address
from workloads.chassis.identity import User
from workloads.services.consent import domain, store
from workloads.services.consent.forms import ConsentView


def connector(request: Request) -> ServiceClient:
    """The way to the banks."""
    return request.app.state.connector


def ask_bank(request: Request, user: User, consent_id: uuid.UUID) -> ConsentView:
    """The consent as the bank tells it now; what changed is kept. Raises Problem."""
    database = request.app.state.database
    with database.session(user.id) as session:
        known = store.get(session, consent_id)
    if known.status not in domain.FINAL:
        path = f"/banks/{known.bank}/consents/{known.bank_consent_id}/status"
        told = connector(request).call("GET", path, user, attended_from=person_address(request))["status"]
        with database.session(user.id) as session:
            known = store.get(session, consent_id, lock=True)
            store.tell(session, user.id, known, told, "bank")
            if ConsentView.of(known, clock.now()).status == "expired":
                store.tell(session, user.id, known, "expired", "law")
    return ConsentView.of(known, clock.now())
