"""What a bus must do for us. Azure Service Bus does it through ``bus.py``; tests bring one of their own."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from workloads.chassis.events.envelope import Event


class BusUnavailable(Exception):
    """The bus does not answer now: nothing is lost, try again later."""


class Unpublishable(Exception):
    """The bus will never take this event, for example because it is too large.

    event: which of those that were to be published; none of them was taken.
    """

    def __init__(self, event: Event, reason: str) -> None:
        super().__init__(f"{event.type} {event.id}: {reason}")
        self.event, self.reason = event, reason


class Delivery(Protocol):
    """A message that was handed to us and is locked until it is settled, once, or its lock ends."""

    @property
    def body(self) -> str | bytes:
        """The event as JSON text, not yet looked at."""
        ...

    @property
    def attempt(self) -> int:
        """How often it was delivered, this time included."""
        ...

    def complete(self) -> None:
        """It is handled: the bus forgets it. Raises BusUnavailable; it is then delivered again."""
        ...

    def abandon(self) -> None:
        """It can't be handled now: the bus delivers it again, or gives it up after its allowed attempts."""
        ...

    def dead_letter(self, reason: str, description: str) -> None:
        """It can never be handled: the bus keeps it aside for an operator. Neither text holds personal data."""
        ...


class Receiver(Protocol):
    """The messages of one subscription."""

    def receive(self, most: int, wait: float) -> Sequence[Delivery]:
        """At most so many messages, locked; after so many seconds without any, none. Raises BusUnavailable."""
        ...

    def close(self) -> None:
        """Let go of what is not settled."""
        ...


@dataclass(frozen=True)
class DeadLetter:
    """A message that was given up. sequence: the bus's number of it. body: the event as JSON text."""

    sequence: int
    reason: str
    description: str
    attempts: int
    enqueued: datetime.datetime
    body: str


class DeadLetters(Protocol):
    """The messages that a subscription gave up."""

    def peek(self, subscription: str, most: int) -> Sequence[DeadLetter]:
        """The oldest ones; they stay where they are. Raises BusUnavailable."""
        ...

    def replay(self, subscription: str, sequence: int) -> bool:
        """Send one again and forget it here; whether it was there.

        Sent to the topic under a new message id, since duplicate detection would swallow the old one: subscribers that
        have handled the event know its CloudEvents id and do nothing. Raises BusUnavailable.
        """
        ...


class Bus(Protocol):
    """Where events go, and come from: one topic, a subscription a consuming service."""

    def publish(self, events: Sequence[Event]) -> None:
        """All of them, in this order for each partition key, or an error and perhaps some of them.

        A message's id is the event's, its session the partition key, and its application property ``type`` the event's
        type. Raises BusUnavailable or Unpublishable.
        """
        ...

    def receiver(self, subscription: str) -> Receiver:
        """Receives a subscription's messages. Raises BusUnavailable."""
        ...

    @property
    def dead_letters(self) -> DeadLetters:
        """What was given up."""
        ...

    def close(self) -> None:
        """Close its connections."""
        ...
