"""The relay: carries the outbox to the bus, at least once, in order. Several may run; one at a time has the turn."""

from __future__ import annotations

import threading
from typing import Any

import structlog
from sqlalchemy import Select, delete, select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session
from tenacity import Retrying, retry_if_exception_type, sleep_using_event, stop_when_event_set, wait_random_exponential

from workloads.chassis import dialect, faults
from workloads.chassis.database import Database
from workloads.chassis.events.envelope import Event
from workloads.chassis.events.outbox import WRITTEN
from workloads.chassis.events.port import Bus, BusUnavailable, Unpublishable
from workloads.chassis.events.tables import OutboxEvent, RelayTurn
from workloads.chassis.faults import FaultPoint

_BATCH = 200
_LOOKS_EVERY = 2.0
"""Seconds between two looks without being woken: for what another, ended process has left."""
_GATHERS = 0.02
"""Seconds after a batch in which the next one gathers: under many small commits, publishing each alone costs most."""
_log = structlog.get_logger(__name__)


class Relay:
    """Publishes what a service's transactions wrote. A commit of this process wakes it at once."""

    def __init__(self, database: Database, bus: Bus) -> None:
        self._database, self._bus = database, bus
        self._stopping, self._wake = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="relay", daemon=True)
        database.on_commit(self._committed)

    def start(self) -> None:
        """Begin, in a thread of its own."""
        self._thread.start()

    def stop(self) -> None:
        """End after the batch at hand."""
        self._stopping.set()
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join(10)

    def _committed(self, session: Session) -> None:
        if session.info.pop(WRITTEN, False):
            faults.reach(FaultPoint.CHANGE_COMMITTED)
            self._wake.set()

    def _run(self) -> None:
        patient = Retrying(
            retry=retry_if_exception_type((BusUnavailable, SQLAlchemyError)),
            wait=wait_random_exponential(0.1, max=15),
            stop=stop_when_event_set(self._stopping),
            sleep=sleep_using_event(self._stopping),
            before_sleep=lambda state: _log.warning(
                "events wait in the outbox", attempt=state.attempt_number, error=_name(state.outcome)
            ),
            retry_error_callback=lambda _: 0,
        )
        while not self._stopping.is_set():
            self._wake.clear()
            if patient(self.publish_batch):
                self._stopping.wait(_GATHERS)
            else:
                self._wake.wait(_LOOKS_EVERY)

    def publish_batch(self) -> int:
        """Publish the oldest events; how many. 0 when there are none, or another relay has the turn.

        Raises BusUnavailable.
        """
        with self._database.session() as session:
            if session.scalar(turn_query()) is None:
                return 0
            rows = list(session.scalars(oldest_query()))
            if not rows:
                return 0
            faults.reach(FaultPoint.RELAY_READ)
            try:
                self._bus.publish([Event.decode(each.envelope) for each in rows])
            except Unpublishable as error:
                _log.error("the bus refuses an event for good", event_id=str(error.event.id), type=error.event.type)
                refused = update(OutboxEvent).where(OutboxEvent.event_id == error.event.id)
                session.execute(refused.values(refused=error.reason[:400]))
                return 1
            faults.reach(FaultPoint.RELAY_PUBLISHED)
            session.execute(delete(OutboxEvent).where(OutboxEvent.sequence.in_([each.sequence for each in rows])))
            return len(rows)


def turn_query() -> Select[Any]:
    """The turn, unless another relay has it."""
    return dialect.locked(select(RelayTurn), RelayTurn, skip_locked=True)


def oldest_query() -> Select[Any]:
    """The oldest events that wait."""
    query = select(OutboxEvent).where(OutboxEvent.refused.is_(None)).order_by(OutboxEvent.sequence)
    return query.limit(_BATCH)


def _name(outcome: object) -> str:
    error = outcome.exception() if hasattr(outcome, "exception") else None
    return type(error).__name__
