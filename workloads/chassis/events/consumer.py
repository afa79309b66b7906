"""The consumer: hands a subscription's events to a service's handlers, each once, with patience and an end to it."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import structlog
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session
from tenacity import (
    Retrying,
    retry_if_not_exception_type,
    sleep_using_event,
    stop_after_attempt,
    wait_random_exponential,
)

from workloads.chassis import correlation, faults
from workloads.chassis.database import Database
from workloads.chassis.events import inbox
from workloads.chassis.events.envelope import Event, Malformed
from workloads.chassis.events.inbox import AlreadyHandled
from workloads.chassis.events.port import Bus, BusUnavailable, Delivery, Receiver
from workloads.chassis.faults import FaultPoint

_BATCH = 50
_WAIT_SECONDS = 1.0
"""At a time, for the next event: within that, an idle consumer notices that it is to end."""
_ATTEMPTS = 3
"""On the spot, before the message is given back to the bus."""
_LONGEST_PAUSE = 30.0
_FORGETS_EVERY = 3600.0
_log = structlog.get_logger(__name__)


class Unprocessable(Exception):
    """This event can never be handled; the message says why, without personal data."""


@dataclass(frozen=True)
class Handling:
    """One event at one service. app: the application's state, as its ``prepare`` left it."""

    event: Event
    database: Database
    app: Any

    @property
    def user(self) -> uuid.UUID:
        """Whom the event is about. Raises Unprocessable when it is about nobody."""
        found = self.event.user
        if found is None:
            raise Unprocessable(f"{self.event.type} without a subject")
        return found

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """The transaction of what the event causes, bound to its user. Raises AlreadyHandled before anything is done.

        Calls to other services belong before it: they must not hold a transaction open.
        """
        with self.database.session(self.event.user) as session:
            inbox.claim(session, self.event)
            yield session


Handler = Callable[[Handling], None]


class Consumer:
    """Handles the events of a service's subscription.

    Handlers that fail are tried again on the spot, then by redelivery with growing pauses; the bus gives a message up
    after its allowed attempts. What no handler can ever take goes to the dead letters at once.
    """

    def __init__(
        self, subscription: str, handlers: Mapping[str, Handler], database: Database, bus: Bus, app: Any
    ) -> None:
        self._subscription, self._handlers = subscription, handlers
        self._database, self._bus, self._app = database, bus, app
        self._stopping = threading.Event()
        self._failures = 0
        self._forgets_at = 0.0
        self._thread = threading.Thread(target=self._run, name="consumer", daemon=True)

    def start(self) -> None:
        """Begin, in a thread of its own."""
        self._thread.start()

    def stop(self) -> None:
        """End after the event at hand."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(10)

    def _run(self) -> None:
        receiver: Receiver | None = None
        while not self._stopping.is_set():
            self.forget()
            try:
                receiver = receiver or self._bus.receiver(self._subscription)
                for delivery in receiver.receive(_BATCH, _WAIT_SECONDS):
                    if self._stopping.is_set():
                        break  # its lock ends, and it is delivered again
                    self.take(delivery)
            except BusUnavailable as error:
                _log.warning("the bus does not answer", subscription=self._subscription, detail=str(error)[:200])
                receiver = _closed(receiver)
                self._pause()
        _closed(receiver)

    def forget(self) -> None:
        """Forget a batch of old events when it is time: now and then, and again at once while there is more."""
        if time.monotonic() < self._forgets_at:
            return
        more = False
        with suppress(SQLAlchemyError), self._database.session() as session:
            more = inbox.forget_old(session)
        self._forgets_at = time.monotonic() + (0 if more else _FORGETS_EVERY)

    def _pause(self) -> None:
        self._failures += 1
        self._stopping.wait(min(_LONGEST_PAUSE, 0.2 * 2 ** min(self._failures, 10)))

    def take(self, delivery: Delivery) -> None:
        """Handle one message and settle it. Raises BusUnavailable."""
        try:
            event = Event.decode(delivery.body)
            correlation.enter(None, event.traceparent)
            handler = self._handlers.get(event.type)
            if handler is None:
                raise Unprocessable(f"{self._subscription} has no handler of {event.type}")
            if delivery.attempt == 1 or not self._knows(event):
                self._handle(handler, event)
        except (Malformed, Unprocessable) as error:
            _log.error("an event can't be handled", subscription=self._subscription, detail=str(error))
            delivery.dead_letter(type(error).__name__, str(error)[:1000])
        except Exception as error:  # whatever a handler raises: the event is not lost, the bus keeps it
            _log.warning(
                "an event is not handled yet", subscription=self._subscription, attempt=delivery.attempt,
                error=type(error).__name__,
            )  # fmt: skip
            self._pause()
            delivery.abandon()
        else:
            self._failures = 0
            faults.reach(FaultPoint.EVENT_HANDLED)
            delivery.complete()

    def _knows(self, event: Event) -> bool:
        """Whether a message that is delivered again was handled: a look before any work, as dear as a claim.

        One that comes for the first time is hardly ever known; where it is, the handler's own claim finds it.
        """
        with self._database.session(event.user) as session:
            return inbox.handled(session, event)

    def _handle(self, handler: Handler, event: Event) -> None:
        handling = Handling(event, self._database, self._app)
        faults.reach(FaultPoint.EVENT_RECEIVED)
        attempts = Retrying(
            stop=stop_after_attempt(_ATTEMPTS),
            wait=wait_random_exponential(0.1, max=2),
            retry=retry_if_not_exception_type((AlreadyHandled, Unprocessable, Malformed)),
            sleep=sleep_using_event(self._stopping),
            reraise=True,
        )
        with suppress(AlreadyHandled):
            attempts(handler, handling)


def _closed(receiver: Receiver | None) -> None:
    if receiver:
        with suppress(BusUnavailable):
            receiver.close()
