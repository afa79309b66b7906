"""Which receiver holds which session, and until when. In memory: a restart ends every connection anyway."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from local.azure.dataplanes.servicebus import clock, conditions
from local.azure.dataplanes.servicebus.conditions import Refusal
from local.azure.dataplanes.servicebus.places import Place
from local.azure.dataplanes.servicebus.store import MessageStore


class Holder(Protocol):
    """Whoever receives from a session."""

    def lock_lost(self) -> None:
        """Its lock has run out."""
        ...


@dataclass
class SessionLock:
    """A session under lock. until: ms since 1970. holder: its receiver, once its link is open."""

    place: Place
    session: str
    until: int
    holder: Holder | None = None


class SessionLocks:
    """The locks of all sessions. wake: told when one ends."""

    def __init__(self, store: MessageStore, wake: Callable[[int], None]) -> None:
        self._store, self._wake = store, wake
        self._locks: dict[tuple[str, str], SessionLock] = {}

    def accept(self, place: Place, session: str | None) -> SessionLock | None:
        """Lock a session, or the next that has messages (None when there is none now).

        Raises Refusal when the named session is held by another.
        """
        if session is not None:
            if (place.queue.key, session) in self._locks:
                raise Refusal(
                    conditions.SESSION_TAKEN,
                    f"The session {session!r} of {place.queue.path} is locked by another receiver.",
                )
            return self._lock(place, session)
        entity = self._store.entity(place.queue.key, place.queue.made)
        free = (
            each
            for each in self._store.available_sessions(entity, clock.now())
            if (place.queue.key, each) not in self._locks
        )
        found = next(free, None)
        return None if found is None else self._lock(place, found)

    def held(self, place: Place, session: str) -> SessionLock:
        """The lock of a session. Raises Refusal when nobody holds it."""
        lock = self._locks.get((place.queue.key, session))
        if lock is None:
            raise Refusal(
                conditions.SESSION_LOCK_LOST,
                f"The lock on the session {session!r} has expired. Accept the session again.",
            )
        return lock

    def renew(self, place: Place, session: str) -> int:
        """Lock a session anew from now; answers the end of the lock. Raises Refusal when it is lost."""
        lock = self.held(place, session)
        lock.until = clock.now() + place.queue.lock
        self._wake(lock.until)
        return lock.until

    def release(self, lock: SessionLock) -> None:
        """End a lock; nothing when another holds the session by now."""
        if self._locks.get((lock.place.queue.key, lock.session)) is lock:
            del self._locks[lock.place.queue.key, lock.session]

    def ended(self, now: int) -> list[SessionLock]:
        """Locks that have run out, taken away."""
        over = [each for each in self._locks.values() if each.until <= now]
        for each in over:
            self.release(each)
        return over

    def next_end(self) -> int | None:
        """When the next lock ends."""
        return min((each.until for each in self._locks.values()), default=None)

    def _lock(self, place: Place, session: str) -> SessionLock:
        lock = SessionLock(place, session, clock.now() + place.queue.lock)
        self._locks[place.queue.key, session] = lock
        self._wake(lock.until)
        return lock
