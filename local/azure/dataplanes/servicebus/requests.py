"""Request and response over a pair of links: a client's $cbs or $management node (AMQP management 1.0 draft)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from proton import Delivery, Message, MessageException, Receiver, Sender, int32, symbol

from local.azure.dataplanes.servicebus import conditions
from local.azure.dataplanes.servicebus.broker import Broker
from local.azure.dataplanes.servicebus.conditions import Refusal

_CREDIT = 100
Handler = Callable[[Message], tuple[int, str, Any]]
"""Answers a request with status, description and body; may raise Refusal."""


@dataclass(frozen=True)
class AnswerNames:
    """What an answer calls its status code and description, and its condition where it says one."""

    code: str
    description: str
    condition: str | None = None


class Responses:
    """The link on which answers go out."""

    def __init__(self, broker: Broker, link: Sender, output: Callable[[], None]) -> None:
        self._broker, self.link, self._output = broker, link, output
        self._queued: list[bytes] = []
        self._sent, self._gone = 0, False

    def send(self, message: Message) -> None:
        """Send an answer once everything that it says is on disk."""
        data = bytes(message.encode())

        def hand_over() -> None:
            if not self._gone:
                self._queued.append(data)
                self.flow()

        self._broker.commits.after(hand_over)

    def flow(self) -> None:
        """Send what there is credit for."""
        while self._queued and self.link.credit > 0:
            self._sent += 1
            delivery = self.link.delivery(str(self._sent))
            self.link.stream(self._queued.pop(0))
            self.link.advance()
            delivery.settle()
        self._output()

    def delivery(self, delivery: Delivery, message_format: int | None) -> None:
        """Nothing: answers are sent settled."""

    def closed(self) -> None:
        """Forget what was not asked for."""
        self._gone = True
        self._queued.clear()

    def check(self) -> None:
        """Nothing: each request is checked."""


class Requests:
    """The link on which requests come in.

    responses: finds where answers to this node go.
    """

    def __init__(
        self,
        broker: Broker,
        link: Receiver,
        handler: Handler,
        responses: Callable[[], Responses | None],
        names: AnswerNames,
        output: Callable[[], None],
    ) -> None:
        self._broker, self.link, self._handler = broker, link, handler
        self._responses, self._names, self._output = responses, names, output

    def opened(self) -> None:
        """Let the client ask."""
        self.link.flow(_CREDIT)

    def delivery(self, delivery: Delivery, message_format: int | None) -> None:
        """Answer a request when it is whole."""
        if delivery.aborted:
            delivery.settle()
            return
        if not delivery.readable or delivery.partial:
            return
        data = bytes(self.link.recv(delivery.pending) or b"")
        self.link.advance()
        self.link.flow(1)
        request, responses = Message(), self._responses()
        try:
            request.decode(data)
        except MessageException as error:
            delivery.local.condition = Refusal(conditions.DECODE, str(error)).as_amqp()
            delivery.update(Delivery.REJECTED)
            delivery.settle()
            return
        delivery.update(Delivery.ACCEPTED)
        delivery.settle()
        if responses is not None:
            responses.send(self._answer(request))

    def _answer(self, request: Message) -> Message:
        properties: dict[str, Any] = {}
        try:
            status, text, body = self._handler(request)
        except Refusal as refused:
            status, text, body = refused.status, refused.description, None
            if self._names.condition:
                properties[self._names.condition] = symbol(refused.condition)
        properties |= {self._names.code: int32(status), self._names.description: text}
        return Message(correlation_id=request.id, properties=properties, body=body)

    def flow(self) -> None:
        """Nothing: we are the receiver."""

    def closed(self) -> None:
        """Nothing is held for it."""

    def check(self) -> None:
        """Nothing: each request is checked."""
