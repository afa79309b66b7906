"""The inbox: remembers which events were handled, in the transaction of what they caused."""

from __future__ import annotations

import datetime
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from workloads.chassis import clock, dialect, faults
from workloads.chassis.events.envelope import Event
from workloads.chassis.events.tables import HandledEvent
from workloads.chassis.faults import FaultPoint

ERASURES = "/erasures"
"""A source of its own: the erasures that this database has had. Never forgotten, a backup may be older than any bus."""
CHECKS = "/checks"
"""Another: that this very database had every erasure, and when. The id is made of the database's own identity."""
KEPT = datetime.timedelta(days=30)
"""Longer than a message may live on the bus and its dead-letter queue is looked after."""

_FORGOTTEN_AT_ONCE = 1000
"""Few enough that nobody waits long for their locks."""


class AlreadyHandled(Exception):
    """The event was handled before: there is nothing to do."""


def claim(session: Session, event: Event) -> None:
    """Take an event, in the transaction that handles it: two that try wait for each other. Raises AlreadyHandled."""
    row = {"source": event.source, "event_id": event.id, "at": clock.now()}
    if not dialect.insert_new(session, HandledEvent, row, key=["source", "event_id"]):
        raise AlreadyHandled
    faults.reach(FaultPoint.INBOX_CLAIMED)


def handled(session: Session, event: Event) -> bool:
    """Whether it was handled: a cheap look before any work is done for it."""
    where: Any = (HandledEvent.source == event.source, HandledEvent.event_id == event.id)
    return bool(session.scalar(select(func.count(HandledEvent.at)).where(*where)))


def forget_old(session: Session) -> bool:
    """Forget the oldest of what no bus delivers any more, a batch at a time; whether there is more of it."""
    old = (HandledEvent.at < clock.now() - KEPT, HandledEvent.source != ERASURES)
    beyond = select(HandledEvent.at).where(*old).order_by(HandledEvent.at).offset(_FORGOTTEN_AT_ONCE).limit(1)
    last = session.scalar(beyond)
    session.execute(delete(HandledEvent).where(*old, *([HandledEvent.at <= last] if last else [])))
    return last is not None
