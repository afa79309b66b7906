"""The outbox: events are rows of the transaction that makes them true, so that neither exists without the other."""

from __future__ import annotations

import uuid
from typing import Any

from sqlalchemy.orm import Session

from workloads.chassis import faults
from workloads.chassis.events.catalogue import may_publish
from workloads.chassis.events.envelope import Event
from workloads.chassis.events.tables import OutboxEvent
from workloads.chassis.faults import FaultPoint

WRITTEN = "outbox"
"""Key of ``Session.info``: whether the transaction wrote events."""


def write(session: Session, service: str, type_: str, user: uuid.UUID | None, data: dict[str, Any]) -> Event:
    """Tell of a change, in the change's own transaction. Raises ValueError for an event that is another service's."""
    if not may_publish(service, type_):
        raise ValueError(f"{type_!r} is no event that {service} publishes; see workloads/chassis/events/catalogue.py")
    event = Event.new(service, type_, user, data)
    session.add(OutboxEvent(event_id=event.id, key=event.partitionkey, envelope=event.encode(), refused=None))
    session.info[WRITTEN] = True
    faults.reach(FaultPoint.OUTBOX_WRITTEN)
    return event
