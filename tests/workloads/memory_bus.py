"""A bus in memory, behind the port: for unit tests. Redelivers, gives up, can be down, as Service Bus does."""

from __future__ import annotations

import datetime
import threading
import time
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from workloads.chassis.events.envelope import Event
from workloads.chassis.events.port import BusUnavailable, DeadLetter, Unpublishable

ATTEMPTS = 10
LARGEST = 256 * 1024


@dataclass
class Message:
    """A message of one subscription."""

    body: str
    attempt: int = 0


@dataclass
class MemoryBus:
    """One topic. subscriptions: event types by name; an empty collection takes every type."""

    subscriptions: dict[str, Collection[str]]
    down: bool = False
    published: list[Event] = field(default_factory=list)
    queues: dict[str, list[Message]] = field(default_factory=lambda: defaultdict(list))
    given_up: dict[str, list[DeadLetter]] = field(default_factory=lambda: defaultdict(list))
    busy: int = 0

    def __post_init__(self) -> None:
        self.changed = threading.Condition()

    def publish(self, events: Sequence[Event]) -> None:
        with self.changed:
            self._up()
            for each in events:
                if len(each.encode()) > LARGEST:
                    raise Unpublishable(each, "it is larger than 256 KB")
            for each in events:
                self.published.append(each)
                for name, types in self.subscriptions.items():
                    if not types or each.type in types:
                        self.queues[name].append(Message(each.encode()))
            self.changed.notify_all()

    def receiver(self, subscription: str) -> MemoryReceiver:
        if subscription not in self.subscriptions:
            raise BusUnavailable(f"there is no subscription {subscription}")
        return MemoryReceiver(self, subscription)

    @property
    def dead_letters(self) -> MemoryBus:
        return self

    def peek(self, subscription: str, most: int) -> Sequence[DeadLetter]:
        self._up()
        return self.given_up[subscription][:most]

    def replay(self, subscription: str, sequence: int) -> bool:
        found = [each for each in self.given_up[subscription] if each.sequence == sequence]
        for each in found:
            self.given_up[subscription].remove(each)
            self.publish([Event.decode(each.body)])
        return bool(found)

    def close(self) -> None:
        """Nothing to close."""

    def _up(self) -> None:
        if self.down:
            raise BusUnavailable("the bus is down")

    def settle(self, seconds: float = 20, but: Collection[str] = ()) -> None:
        """Wait until every subscription but these is handled."""
        deadline = time.monotonic() + seconds
        with self.changed:
            while self.busy or any(queue for name, queue in self.queues.items() if name not in but):
                left = deadline - time.monotonic()
                assert left > 0, f"not handled in {seconds} s: { {n: len(q) for n, q in self.queues.items() if q} }"
                self.changed.wait(left)


@dataclass
class MemoryReceiver:
    """Receives from one subscription, a message at a time."""

    bus: MemoryBus
    subscription: str

    def receive(self, most: int, wait: float) -> Sequence[MemoryDelivery]:
        queue, bus = self.bus.queues[self.subscription], self.bus
        with bus.changed:
            bus._up()
            if not queue:
                bus.changed.wait(min(wait, 0.05))
            if not queue:
                return []
            message = queue.pop(0)
            message.attempt += 1
            bus.busy += 1
        return [MemoryDelivery(self, message)]

    def close(self) -> None:
        """Nothing to close."""


@dataclass
class MemoryDelivery:
    """A message in hand."""

    receiver: MemoryReceiver
    message: Message

    @property
    def body(self) -> str:
        return self.message.body

    @property
    def attempt(self) -> int:
        return self.message.attempt

    def complete(self) -> None:
        self._settled()

    def abandon(self) -> None:
        bus = self.receiver.bus
        if self.message.attempt >= ATTEMPTS:
            self.dead_letter("MaxDeliveryCountExceeded", "")
            return
        with bus.changed:
            bus.queues[self.receiver.subscription].insert(0, self.message)
        self._settled()

    def dead_letter(self, reason: str, description: str) -> None:
        letters = self.receiver.bus.given_up[self.receiver.subscription]
        now = datetime.datetime.now(datetime.UTC)
        letters.append(DeadLetter(len(letters) + 1, reason, description, self.attempt, now, self.body))
        self._settled()

    def _settled(self) -> None:
        with self.receiver.bus.changed:
            self.receiver.bus.busy -= 1
            self.receiver.bus.changed.notify_all()
