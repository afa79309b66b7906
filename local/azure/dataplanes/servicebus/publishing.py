"""What happens to a message that is sent: held until it is due, dropped as a duplicate, copied, forwarded, kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from local.azure.dataplanes.servicebus import clock, conditions
from local.azure.dataplanes.servicebus.catalogue import Catalogue
from local.azure.dataplanes.servicebus.conditions import Refusal
from local.azure.dataplanes.servicebus.entities import Queue, Subscription, Topic
from local.azure.dataplanes.servicebus.filters.values import FilterError, Scope
from local.azure.dataplanes.servicebus.message import Message
from local.azure.dataplanes.servicebus.places import Place
from local.azure.dataplanes.servicebus.store import SCHEDULED, MessageStore, Stored

SCHEDULED_FOR = "x-opt-scheduled-enqueue-time"
DEAD_LETTER_SOURCE = "x-opt-deadletter-source"
REASON, DESCRIPTION = "DeadLetterReason", "DeadLetterErrorDescription"
_MOST_HOPS = 4
"""Entities that a message passes through by forwarding (Service Bus auto-forwarding)."""


class Publisher:
    """Brings messages to where they are received from.

    arrived: told of each place that has a new message. wake: told when something will be to do, in ms since 1970.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        store: MessageStore,
        arrived: Callable[[Place], None],
        wake: Callable[[int], None],
    ) -> None:
        self._catalogue, self._store, self._arrived, self._wake = catalogue, store, arrived, wake

    def send(self, target: Topic, messages: list[Message]) -> None:
        """Take messages that a client sent, all or none. Raises Refusal."""
        for message in messages:
            self.check(target, message)
        for message in messages:
            due = message.annotations.get(SCHEDULED_FOR)
            if isinstance(due, int) and due > clock.now():
                self.schedule(target, message, due)
            else:
                self._publish(target, message)

    def check(self, target: Topic, message: Message) -> None:
        """Raises Refusal for a message that the entity does not take."""
        if not target.sends:
            raise Refusal(
                conditions.DISABLED, f"Entity {target.path} has status {target.status}: nothing can be sent to it."
            )
        if message.size > target.largest:
            raise Refusal(
                conditions.TOO_LARGE,
                f"The message has {message.size} bytes; {target.path} takes {target.largest} at most.",
            )
        if isinstance(target, Queue) and target.sessions and message.session is None:
            raise Refusal(
                conditions.NOT_ALLOWED,
                f"The session id of a message was not set, and {target.path} requires sessions. Set session_id.",
            )

    def schedule(self, target: Topic, message: Message, due: int) -> int | None:
        """Hold a message until it is due; answers its sequence number, None for a duplicate."""
        if self._duplicate(target, message):
            return None
        entity = self._store.entity(target.key, target.made)
        sequence = self._store.next_sequence(entity)
        held = Stored(
            entity, sequence, clock.now(), message, state=SCHEDULED, due=due, session=_session(target, message)
        )
        self._store.add(held)
        self._wake(due)
        return sequence

    def release(self, held: Stored) -> None:
        """Let a scheduled message go its way."""
        self._store.remove(held)
        target = self._catalogue.entity(self._store.key(held.entity) or "")
        if target is not None:
            self._arrive(target, held.whole(), 0, held.sequence)

    def dead_letter(self, queue: Queue, stored: Stored, reason: str | None, description: str | None) -> None:
        """Move a message to the dead-letter queue, or to where its entity forwards dead letters."""
        whole = stored.whole()
        said = {name: text for name, text in ((REASON, reason), (DESCRIPTION, description)) if text is not None}
        message = whole.with_application(said) if said else whole
        target = self._catalogue.target(queue, queue.forward_dead) if queue.forward_dead else None
        if target is not None and target.sends:
            self._store.remove(stored)
            annotations = message.annotations | {DEAD_LETTER_SOURCE: queue.path}
            self._arrive(target, replace(message, annotations=annotations), 1, None)
            return
        self._store.change(
            stored,
            dead=True,
            state=0,
            lock=None,
            locked_until=None,
            expires=None,
            application=message.encoded_application,
        )
        self._arrived(Place(queue, dead=True))

    def _publish(self, target: Topic, message: Message) -> None:
        if not self._duplicate(target, message):
            self._arrive(target, message, 0, None)

    def _duplicate(self, target: Topic, message: Message) -> bool:
        if target.duplicates is None or message.id is None:
            return False
        until = clock.now() + target.duplicates
        self._wake(until)
        return self._store.seen(self._store.entity(target.key, target.made), message.id, clock.now(), until)

    def _arrive(self, target: Topic, message: Message, hops: int, sequence: int | None) -> None:
        """sequence: the number that a scheduled message was given already."""
        message = replace(message, ttl=_shorter(message.ttl, target.ttl))
        if not isinstance(target, Queue):
            for each in self._catalogue.subscriptions(target):
                self._offer(each, message, hops)
            return
        if target.forward is None:
            self._keep(target, message, sequence)
            return
        onward = self._catalogue.target(target, target.forward)
        if hops >= _MOST_HOPS:
            why = f"The message passed through {_MOST_HOPS} entities; more are not allowed."
            self._keep(target, message, sequence, ("MaxTransferHopCountExceeded", why))
        elif onward is None or not onward.sends:
            why = f"{target.forward}, where {target.path} forwards to, is not there or takes nothing."
            self._keep(target, message, sequence, ("MessagingEntityNotFound", why))
        elif not self._duplicate(onward, message):
            self._arrive(onward, message, hops + 1, None)

    def _offer(self, subscription: Subscription, message: Message, hops: int) -> None:
        scope = Scope.of(message)
        try:
            wanted = any(rule.matches(scope) is True for rule in subscription.rules)
        except FilterError as error:
            if subscription.dead_letter_failing:
                self._keep(subscription, message, None, ("FilterEvaluationException", str(error)))
            return
        if wanted and subscription.sessions and message.session is None:
            self._keep(subscription, message, None, ("Session ID is null.", "The subscription requires sessions."))
        elif wanted:
            self._arrive(subscription, message, hops, None)

    def _keep(self, queue: Queue, message: Message, sequence: int | None, dead: tuple[str, str] | None = None) -> None:
        """dead: why it goes to the dead-letter queue at once."""
        entity, now = self._store.entity(queue.key, queue.made), clock.now()
        if dead:
            message = message.with_application({REASON: dead[0], DESCRIPTION: dead[1]})
        expires = now + message.ttl if message.ttl is not None and not dead else None
        self._store.add(
            Stored(
                entity,
                sequence or self._store.next_sequence(entity),
                now,
                message,
                dead=dead is not None,
                session=_session(queue, message),
                expires=expires,
            )
        )
        if expires is not None:
            self._wake(expires)
        self._arrived(Place(queue, dead is not None))


def _session(target: Topic, message: Message) -> str | None:
    return message.session if isinstance(target, Queue) and target.sessions else None


def _shorter(one: int | None, other: int | None) -> int | None:
    return min((each for each in (one, other) if each is not None), default=None)
