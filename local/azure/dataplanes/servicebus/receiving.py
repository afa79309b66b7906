"""Taking messages under a lock and settling them: peek-lock, deferral, dead-lettering, delivery counts."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from proton import int32, timestamp

from local.azure.dataplanes.servicebus import clock, conditions
from local.azure.dataplanes.servicebus.conditions import Refusal
from local.azure.dataplanes.servicebus.places import Place
from local.azure.dataplanes.servicebus.publishing import Publisher
from local.azure.dataplanes.servicebus.store import DEFERRED, MessageStore, Stored

_LONGEST_REASON = 4096


class Outcome(Enum):
    """What a receiver makes of a message."""

    COMPLETE = "complete"
    ABANDON = "abandon"
    RELEASE = "release"
    """Given back as if it had not been delivered."""
    DEFER = "defer"
    DEAD_LETTER = "dead-letter"


@dataclass(frozen=True)
class Settlement:
    """An outcome; reason and description are those of a dead letter."""

    outcome: Outcome
    reason: str | None = None
    description: str | None = None


class Receiving:
    """Locks and settles. arrived, wake: as for the publisher."""

    def __init__(
        self,
        store: MessageStore,
        publisher: Publisher,
        arrived: Callable[[Place], None],
        wake: Callable[[int], None],
    ) -> None:
        self._store, self._publisher, self._arrived, self._wake = store, publisher, arrived, wake

    def next(self, place: Place, session: str | None) -> Stored | None:
        """The first message to deliver at a place, not locked yet."""
        entity = self._store.entity(place.queue.key, place.queue.made)
        return self._store.available(entity, place.dead, session, clock.now())

    def lock(self, place: Place, stored: Stored, session_until: int | None) -> tuple[str, int]:
        """Lock a message; answers the token and the end of the lock. session_until: of the session's lock, if any."""
        # Sixteen bytes, as clients read a UUID from them; in ASCII, as proton's binding reads tags as UTF-8 text.
        token, until = secrets.token_urlsafe(12), session_until or clock.now() + place.queue.lock
        self._store.change(stored, lock=token, locked_until=None if session_until else until)
        if not session_until:
            self._wake(until)
        return token, until

    def take(self, stored: Stored) -> None:
        """Receive and delete."""
        self._store.remove(stored)

    def deferred(self, place: Place, sequence: int, session: str | None) -> Stored:
        """A deferred message by its number. Raises Refusal when it is none, or is locked."""
        entity = self._store.entity(place.queue.key, place.queue.made)
        found = self._store.by_sequence(entity, place.dead, sequence)
        if found is None or found.state != DEFERRED or (session is not None and found.session != session):
            raise Refusal(conditions.MESSAGE_NOT_FOUND, f"No deferred message has sequence number {sequence} here.")
        if found.lock is not None:
            raise Refusal(conditions.LOCK_LOST, f"The message with sequence number {sequence} is locked by another.")
        return found

    def settle(self, place: Place, token: str, settlement: Settlement) -> None:
        """Apply what a receiver made of a locked message. Raises Refusal when the lock is lost."""
        stored = self._held(place, token)
        match settlement.outcome:
            case Outcome.COMPLETE:
                self._store.remove(stored)
            case Outcome.ABANDON:
                self.give_back(place, stored)
            case Outcome.RELEASE:
                self._store.change(stored, lock=None, locked_until=None)
                self._arrived(place)
            case Outcome.DEFER:
                self._store.change(stored, state=DEFERRED, lock=None, locked_until=None)
            case Outcome.DEAD_LETTER:
                self._bury(place, stored, settlement)

    def renew(self, place: Place, token: str) -> int:
        """Lock a message anew from now; answers the end of the lock. Raises Refusal when the lock is lost."""
        stored = self._held(place, token)
        until = clock.now() + place.queue.lock
        self._store.change(stored, locked_until=until)
        self._wake(until)
        return until

    def give_back(self, place: Place, stored: Stored) -> None:
        """Unlock a message that was delivered in vain; too often, and it becomes a dead letter."""
        deliveries = stored.deliveries + 1
        self._store.change(stored, lock=None, locked_until=None, deliveries=deliveries)
        if deliveries >= place.queue.attempts and not place.dead:
            why = f"Message could not be consumed after {place.queue.attempts} delivery attempts."
            self._publisher.dead_letter(place.queue, stored, "MaxDeliveryCountExceeded", why)
        else:
            self._arrived(place)

    def _held(self, place: Place, token: str) -> Stored:
        stored = self._store.locked(token)
        entity = self._store.entity(place.queue.key, place.queue.made)
        if stored is None or (stored.entity, stored.dead) != (entity, place.dead):
            lost = conditions.SESSION_LOCK_LOST if place.sessions else conditions.LOCK_LOST
            raise Refusal(
                lost,
                "The lock supplied is invalid. Either the lock expired, or the message has already been removed from "
                f"{place.queue.path}.",
            )
        return stored

    def _bury(self, place: Place, stored: Stored, settlement: Settlement) -> None:
        if place.dead:
            raise Refusal(conditions.NOT_ALLOWED, "A message of a dead-letter queue can't be dead-lettered again.")
        reason, description = (
            text[:_LONGEST_REASON] if text else None for text in (settlement.reason, settlement.description)
        )
        self._publisher.dead_letter(place.queue, stored, reason, description)


def encoded(stored: Stored, until: int | None) -> bytes:
    """A message as it is delivered or peeked at. until: end of its lock."""
    said = {
        "x-opt-sequence-number": stored.sequence,
        "x-opt-enqueue-sequence-number": 0,
        "x-opt-enqueued-time": timestamp(stored.enqueued),
        "x-opt-message-state": int32(stored.state),
    }
    if until is not None:
        said["x-opt-locked-until"] = timestamp(until)
    return stored.message.encoded(stored.deliveries, said)
