"""The broker: what is deployed, what it holds, who receives, and what happens as time passes."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from typing import Protocol

from local.azure.dataplanes.servicebus import clock
from local.azure.dataplanes.servicebus.catalogue import Catalogue
from local.azure.dataplanes.servicebus.commits import Commits
from local.azure.dataplanes.servicebus.entities import Queue
from local.azure.dataplanes.servicebus.places import Place
from local.azure.dataplanes.servicebus.publishing import Publisher
from local.azure.dataplanes.servicebus.receiving import Receiving
from local.azure.dataplanes.servicebus.session_locks import SessionLock, SessionLocks
from local.azure.dataplanes.servicebus.store import MessageStore, Stored

_LOG = logging.getLogger(__name__)


class Consumer(Protocol):
    """A receiver's link as the broker sees it."""

    def deliver(self) -> bool:
        """Send one message, if there is one and the receiver has asked for it; whether it did."""
        ...


class Broker:
    """Joins the parts. All of it runs on one event loop."""

    def __init__(self, catalogue: Catalogue, store: MessageStore) -> None:
        self.catalogue, self.store = catalogue, store
        self.commits = Commits(store)
        self.sessions = SessionLocks(store, self.wake)
        self.publisher = Publisher(catalogue, store, self.arrived, self.wake)
        self.receiving = Receiving(store, self.publisher, self.arrived, self.wake)
        self._consumers: dict[tuple[str, bool], deque[Consumer]] = {}
        self._waiting: dict[tuple[str, bool], list[Callable[[], bool]]] = {}
        self._moved: set[tuple[str, bool]] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._wakes_at: int | None = None

    def start(self) -> None:
        """Take up what the last run left: locks ended with its connections."""
        self.catalogue.refresh()
        self.store.keep_entities(self.catalogue.keys())
        self.store.unlock_all()
        self.store.commit()
        self._sweep()

    def refresh(self) -> bool:
        """Follow what was deployed since the last time; what is gone takes its messages along. Says whether it may."""
        if not self.catalogue.refresh():
            return False
        if self.store.keep_entities(self.catalogue.keys()):
            self.commits.after(lambda: None)
        return True

    # Consumers

    def consume(self, place: Place, consumer: Consumer) -> None:
        """Let a consumer have its share of a place's messages."""
        self._consumers.setdefault(place.key, deque()).append(consumer)
        self.arrived(place)

    def leave(self, key: tuple[str, bool], consumer: Consumer) -> None:
        """Take it away again. key: of its place."""
        found = self._consumers.get(key)
        if found is not None and consumer in found:
            found.remove(consumer)
            if not found:
                del self._consumers[key]

    def await_session(self, place: Place, attempt: Callable[[], bool]) -> None:
        """Call an attempt to accept a session whenever one may have come free, until it says that it is done."""
        self._waiting.setdefault(place.key, []).append(attempt)

    def arrived(self, place: Place) -> None:
        """Messages may be there for a place's consumers: after the commit they are given out."""
        if not self._moved:
            self.commits.after(self._distribute)
        self._moved.add(place.key)

    def _distribute(self) -> None:
        moved, self._moved = self._moved, set()
        for key in moved:
            self._waiting[key] = [each for each in self._waiting.get(key, ()) if not each()]
            if not self._waiting[key]:
                del self._waiting[key]
            consumers = self._consumers.get(key, ())
            hungry = deque(consumers)
            while hungry:
                consumer = hungry.popleft()
                if consumer.deliver():
                    hungry.append(consumer)
            if len(consumers) > 1 and isinstance(consumers, deque):
                consumers.rotate(-1)  # the one that was first is last next time

    def end_session(self, lock: SessionLock, *, in_vain: bool) -> None:
        """Give a session up. in_vain: its receiver let the lock run out, which counts as a delivery."""
        self.sessions.release(lock)
        if self.catalogue.entity(lock.place.queue.key) is None:
            return
        entity = self.store.entity(lock.place.queue.key, lock.place.queue.made)
        for stored in self.store.locked_in_session(entity, lock.session):
            if in_vain:
                self.receiving.give_back(lock.place, stored)
            else:
                self.store.change(stored, lock=None, locked_until=None)
        self.arrived(lock.place)

    # Time

    def wake(self, at: int) -> None:
        """Look again at a time, in ms since 1970."""
        if self._wakes_at is not None and self._wakes_at <= at:
            return
        if self._timer is not None:
            self._timer.cancel()
        self._wakes_at = at
        delay = max(0, at - clock.now()) / 1000
        self._timer = asyncio.get_running_loop().call_later(min(delay, 3600), self._sweep)

    def _sweep(self) -> None:
        self._timer = self._wakes_at = None
        now = clock.now()
        self.refresh()
        for stored in self.store.locks_ended(now):
            self._give_back(stored)
        for lock in self.sessions.ended(now):
            self.end_session(lock, in_vain=True)
            if lock.holder is not None:
                lock.holder.lock_lost()
        for stored in self.store.due(now):
            self.publisher.release(stored)
        for stored in self.store.expired(now):
            self._expire(stored)
        self.store.forget_seen(now)
        self.commits.after(lambda: None)
        ends = [each for each in (self.store.next_event(), self.sessions.next_end()) if each is not None]
        if ends:
            self.wake(min(ends))

    def _give_back(self, stored: Stored) -> None:
        queue = self._queue(stored)
        if queue is None:
            self.store.change(stored, lock=None, locked_until=None)
        else:
            self.receiving.give_back(Place(queue, stored.dead), stored)

    def _expire(self, stored: Stored) -> None:
        queue = self._queue(stored)
        if queue is None or not queue.dead_letter_expired:
            self.store.remove(stored)
        else:
            why = "The message expired and was dead lettered."
            self.publisher.dead_letter(queue, stored, "TTLExpiredException", why)

    def _queue(self, stored: Stored) -> Queue | None:
        found = self.catalogue.entity(self.store.key(stored.entity) or "")
        return found if isinstance(found, Queue) else None

    def close(self) -> None:
        """Stop, with everything on disk."""
        if self._timer is not None:
            self._timer.cancel()
        self.commits.flush()
        self.store.close()
