"""A client's link for receiving: messages go out as there is credit, and their settlements come back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from proton import Delivery, Link, Sender

from local.azure.dataplanes.servicebus import access, conditions
from local.azure.dataplanes.servicebus.broker import Broker
from local.azure.dataplanes.servicebus.conditions import Refusal
from local.azure.dataplanes.servicebus.entities import Queue
from local.azure.dataplanes.servicebus.places import Place
from local.azure.dataplanes.servicebus.receiving import Outcome, Settlement, encoded
from local.azure.dataplanes.servicebus.session_locks import SessionLock

_DEAD_LETTER = "com.microsoft:dead-letter"


class Consumer:
    """A link on which a client receives from a place, within a session where there is one."""

    def __init__(
        self,
        broker: Broker,
        link: Sender,
        place: Place,
        require: Callable[..., None],
        output: Callable[[], None],
        session: SessionLock | None = None,
    ) -> None:
        self._broker, self.link = broker, link
        self._key, self._dead = place.key
        self._require, self._output = require, output
        self.session = session
        self._deletes = link.remote_snd_settle_mode == Link.SND_SETTLED
        self._promised, self._gone = 0, False

    def opened(self) -> None:
        """Take part."""
        self._broker.consume(self.place(), self)

    def place(self) -> Place:
        """Where it receives from, as it is deployed now. Raises Refusal when it is gone."""
        found = self._broker.catalogue.entity(self._key)
        if not isinstance(found, Queue):
            raise Refusal(conditions.DELETED, "The entity has been deleted.")
        return Place(found, self._dead)

    def deliver(self) -> bool:
        """Send one message, if there is one and there is credit; whether it did."""
        if self.link.credit - self._promised <= 0:
            return False
        try:
            place = self.place()
        except Refusal:
            return False
        receiving = self._broker.receiving
        stored = receiving.next(place, self.session.session if self.session else None) if place.queue.receives else None
        if stored is None:
            return False
        if self._deletes:
            receiving.take(stored)
            self._promised += 1
            self._broker.commits.after(lambda: self._hand_over(encoded(stored, None)))
        else:
            token, until = receiving.lock(place, stored, self.session.until if self.session else None)
            self._send(token, encoded(stored, until))
            self._output()
        return True

    def _hand_over(self, data: bytes) -> None:
        """Received and deleted: it may leave now that it is gone for good."""
        self._promised -= 1
        if self._gone:
            return
        self._send(f"{id(data)}", data).settle()
        self._output()

    def _send(self, tag: str, data: bytes) -> Delivery:
        delivery = self.link.delivery(tag)
        self.link.stream(data)
        self.link.advance()
        return delivery

    def delivery(self, delivery: Delivery, message_format: int | None) -> None:
        """The client settles a message."""
        if not delivery.updated or delivery.local_state:
            return
        token = delivery.tag
        settlement = _settlement(delivery)
        if settlement is None:
            return
        state, condition = delivery.remote_state, None
        try:
            self._broker.receiving.settle(self.place(), token, settlement)
        except Refusal as refused:
            state, condition = Delivery.REJECTED, refused.as_amqp()
        if delivery.settled:
            delivery.settle()
            self._broker.commits.after(lambda: None)
            return
        failed, undeliverable = delivery.remote.failed, delivery.remote.undeliverable

        def confirm() -> None:
            if self._gone:
                return
            if condition is not None:
                delivery.local.condition = condition
            delivery.local.failed, delivery.local.undeliverable = failed, undeliverable
            delivery.update(state)
            delivery.settle()
            self._output()

        self._broker.commits.after(confirm)

    def flow(self) -> None:
        """The client asked for messages; drained, it takes back what can't be served."""
        try:
            self._broker.arrived(self.place())
        except Refusal:
            return
        if self.link.drain_mode:
            self._broker.commits.after(self._drain)

    def _drain(self) -> None:
        if not self._gone:
            self.link.drained()
            self._output()

    def closed(self) -> None:
        """Leave; the session is free for another."""
        self._gone = True
        self._broker.leave((self._key, self._dead), self)
        if self.session is not None:
            self._broker.end_session(self.session, in_vain=False)
            self.session = None

    def lock_lost(self) -> None:
        """The session's lock has run out: the client must accept it again."""
        self._broker.leave((self._key, self._dead), self)
        self.session = None
        why = "The session lock has expired on the MessageSession. Accept a new MessageSession."
        self.link.condition = Refusal(conditions.SESSION_LOCK_LOST, why).as_amqp()
        self.link.close()
        self._output()

    def check(self) -> None:
        """Raises Refusal when the entity is gone or the right to receive."""
        self._require(self.place().queue, access.RECEIVE)


def _settlement(delivery: Delivery) -> Settlement | None:
    match delivery.remote_state:
        case Delivery.ACCEPTED:
            return Settlement(Outcome.COMPLETE)
        case Delivery.RELEASED:
            return Settlement(Outcome.RELEASE)
        case Delivery.MODIFIED:
            return Settlement(Outcome.DEFER if delivery.remote.undeliverable else Outcome.ABANDON)
        case Delivery.REJECTED:
            condition = delivery.remote.condition
            if condition is not None and condition.name == _DEAD_LETTER:
                info = condition.info if isinstance(condition.info, dict) else {}
                said: dict[str, Any] = {str(name): text for name, text in info.items()}
                return Settlement(
                    Outcome.DEAD_LETTER, said.get("DeadLetterReason"), said.get("DeadLetterErrorDescription")
                )
            return Settlement(Outcome.DEAD_LETTER)
    return None
