"""Merged transactions: a pending entry and a booked one that the person said are one. The receipts stay with that."""

from __future__ import annotations

import uuid

from workloads.chassis.events.consumer import Handling, Unprocessable
from workloads.services.document import store

AMENDED = "transaction.amended"


def follow(handling: Handling) -> None:
    """Handles ``transaction.amended``: what was attached to the pending entry is attached to the booked one."""
    merged = _merged(handling)
    if merged is None:
        return  # changed in some other way: nothing is done that could be done twice
    formerly, now = merged
    with handling.transaction() as session:
        for each in store.every(session, formerly):
            store.attach(session, handling.user, each.id, now)


def _merged(handling: Handling) -> tuple[uuid.UUID, uuid.UUID] | None:
    """The pending entry and the booked one, where the event tells of both."""
    told = handling.event.data
    try:
        return (uuid.UUID(told["formerly"]), uuid.UUID(told["id"])) if "formerly" in told else None
    except (KeyError, TypeError, ValueError, AttributeError):
        raise Unprocessable("its ids are malformed") from None
