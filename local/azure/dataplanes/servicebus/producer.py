"""A client's link for sending: each message is on disk before it is accepted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from proton import Condition, Delivery, Receiver

from local.azure.dataplanes.servicebus import access, conditions
from local.azure.dataplanes.servicebus.broker import Broker
from local.azure.dataplanes.servicebus.conditions import Refusal
from local.azure.dataplanes.servicebus.entities import Topic
from local.azure.dataplanes.servicebus.message import BATCH_FORMAT, MalformedMessage, parse, parse_batch

_CREDIT = 1000


class Producer:
    """A link on which a client sends to a queue or topic.

    require: raises Refusal unless an action on an entity is granted. output: sends what proton holds.
    """

    def __init__(
        self,
        broker: Broker,
        link: Receiver,
        entity: Topic,
        require: Callable[..., None],
        output: Callable[[], None],
    ) -> None:
        self._broker, self.link, self._key = broker, link, entity.key
        self._require, self._output = require, output
        self._format: int | None = None
        self._gone = False
        link.max_message_size = entity.largest

    def opened(self) -> None:
        """Let the client send."""
        self.link.flow(_CREDIT)

    def delivery(self, delivery: Delivery, message_format: int | None) -> None:
        """Take a message when it is whole."""
        if message_format is not None:
            self._format = message_format
        if delivery.aborted:
            delivery.settle()
            return
        if not delivery.readable or delivery.partial:
            return
        data = bytes(self.link.recv(delivery.pending) or b"")
        self.link.advance()
        if self.link.credit < _CREDIT // 2:
            self.link.flow(_CREDIT - self.link.credit)
        batch, self._format = self._format == BATCH_FORMAT, None
        try:
            self._take(data, batch)
        except Refusal as refused:
            self._settle(delivery, Delivery.REJECTED, refused.as_amqp())
        else:
            self._settle(delivery, Delivery.ACCEPTED, None)

    def _take(self, data: bytes, batch: bool) -> None:
        entity = self._entity()
        if len(data) > entity.largest:
            raise Refusal(
                conditions.TOO_LARGE, f"The transfer has {len(data)} bytes; {entity.path} takes {entity.largest}."
            )
        try:
            messages = parse_batch(data) if batch else [parse(data)]
        except MalformedMessage as error:
            raise Refusal(conditions.DECODE, str(error)) from None
        self._broker.publisher.send(entity, messages)

    def _settle(self, delivery: Delivery, state: Any, condition: Condition | None) -> None:
        def acknowledge() -> None:
            if self._gone:
                return
            if condition is not None:
                delivery.local.condition = condition
            delivery.update(state)
            delivery.settle()
            self._output()

        self._broker.commits.after(acknowledge)

    def _entity(self) -> Topic:
        found = self._broker.catalogue.entity(self._key)
        if found is None:
            raise Refusal(conditions.DELETED, "The entity has been deleted.")
        return found

    def flow(self) -> None:
        """Nothing: we are the receiver."""

    def closed(self) -> None:
        """What is on disk stays unacknowledged: the client sends it again, and duplicates are found by their id."""
        self._gone = True

    def check(self) -> None:
        """Raises Refusal when the entity is gone or the right to send."""
        self._require(self._entity(), access.SEND)
