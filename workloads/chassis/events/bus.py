"""The event bus on Azure Service Bus: one topic, a subscription a consuming service, Entra identities only."""

from __future__ import annotations

import datetime
import ssl
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from azure.core.credentials import TokenCredential
from azure.core.exceptions import AzureError
from azure.servicebus import (
    AutoLockRenewer,
    ServiceBusClient,
    ServiceBusMessage,
    ServiceBusMessageBatch,
    ServiceBusReceivedMessage,
    ServiceBusReceiver,
    ServiceBusSender,
    ServiceBusSubQueue,
)
from azure.servicebus.exceptions import MessageSizeExceededError

from workloads.chassis.events.envelope import CONTENT_TYPE, Event
from workloads.chassis.events.port import BusUnavailable, DeadLetter, Unpublishable

TYPE = "type"
"""Application property that subscriptions' filters read."""
_SAID_BY_THE_BUS = ("DeadLetterReason", "DeadLetterErrorDescription")
_RETRIES = 1
"""The SDK's own, at once: patience is the relay's and the consumer's."""
_RENEWED_SECONDS = 300.0
_PREFETCH = 20
"""Messages that wait, locked, in the client: the next one is there as soon as one is settled."""
_SEARCHED = 100
"""Dead letters locked at a time while one is looked for."""


class ServiceBus:
    """Implements ``port.Bus``.

    host: of the namespace, e.g. "sb-x.servicebus.windows.net". topic: of all events. credential: of the service.
    Safe for one publisher and any number of receivers in threads of their own.
    """

    def __init__(self, host: str, topic: str, credential: TokenCredential) -> None:
        # The SDK trusts certifi's roots by itself; this trusts the machine's, or those that SSL_CERT_FILE names.
        trust = ssl.create_default_context()
        self._client = ServiceBusClient(host, credential, ssl_context=trust, retry_total=_RETRIES)
        self._topic = topic
        self._sender: ServiceBusSender | None = None

    def publish(self, events: Sequence[Event]) -> None:
        """All of them, in order. Raises BusUnavailable or, before anything is sent, Unpublishable."""
        with _available():
            sender = self._topic_sender()
            for batch in _batches(sender, events):
                sender.send_messages(batch)

    def publish_at(self, event: Event, due: datetime.datetime) -> None:
        """An event that subscriptions get at a time; at once, if that is over. Raises BusUnavailable."""
        message = _message(event)
        message.scheduled_enqueue_time_utc = due
        with _available():
            self._topic_sender().send_messages(message)

    def _topic_sender(self) -> ServiceBusSender:
        self._sender = self._sender or self._client.get_topic_sender(self._topic)
        return self._sender

    def receiver(self, subscription: str) -> SubscriptionReceiver:
        """Receives a subscription's messages."""
        receiver = self._client.get_subscription_receiver(self._topic, subscription, prefetch_count=_PREFETCH)
        return SubscriptionReceiver(receiver)

    @property
    def dead_letters(self) -> SubscriptionDeadLetters:
        """What was given up."""
        return SubscriptionDeadLetters(self._client, self._topic)

    def close(self) -> None:
        """Close its connections."""
        if self._sender is not None:
            self._sender.close()
        self._client.close()


class LockedMessage:
    """Implements ``port.Delivery``."""

    def __init__(self, receiver: ServiceBusReceiver, message: ServiceBusReceivedMessage) -> None:
        self._receiver, self._message = receiver, message

    @property
    def body(self) -> bytes:
        """The event as JSON text."""
        return _body(self._message)

    @property
    def attempt(self) -> int:
        """How often it was delivered, this time included."""
        return (self._message.delivery_count or 0) + 1

    def complete(self) -> None:
        """It is handled. Raises BusUnavailable."""
        with _available():
            self._receiver.complete_message(self._message)

    def abandon(self) -> None:
        """It can't be handled now. Raises BusUnavailable."""
        with _available():
            self._receiver.abandon_message(self._message)

    def dead_letter(self, reason: str, description: str) -> None:
        """It can never be handled. Raises BusUnavailable."""
        with _available():
            self._receiver.dead_letter_message(self._message, reason, description)


class SubscriptionReceiver:
    """Implements ``port.Receiver``. The lock of what was handed out is renewed until it is settled."""

    def __init__(self, receiver: ServiceBusReceiver) -> None:
        self._receiver = receiver
        self._renewer = AutoLockRenewer(max_lock_renewal_duration=_RENEWED_SECONDS)

    def receive(self, most: int, wait: float) -> list[LockedMessage]:
        """The next message, whatever "most" allows; after so many seconds without any, none. Raises BusUnavailable.

        Asked for several, the SDK waits 0.2 s for more behind the first; the next ones are prefetched anyway.
        """
        with _available():
            messages = self._receiver.receive_messages(min(most, 1), max_wait_time=wait)
            for each in messages:
                self._renewer.register(self._receiver, each)
            return [LockedMessage(self._receiver, each) for each in messages]

    def close(self) -> None:
        """Let go of what is not settled. Raises BusUnavailable."""
        with _available():
            self._renewer.close()
            self._receiver.close()


class SubscriptionDeadLetters:
    """Implements ``port.DeadLetters``."""

    def __init__(self, client: ServiceBusClient, topic: str) -> None:
        self._client, self._topic = client, topic

    def peek(self, subscription: str, most: int) -> list[DeadLetter]:
        """The oldest ones. Raises BusUnavailable."""
        with _available(), self._receiver(subscription) as receiver:
            return [_dead_letter(each) for each in receiver.peek_messages(most, sequence_number=1)]

    def replay(self, subscription: str, sequence: int) -> bool:
        """Send one again under a new message id and forget it here; whether it was there. Raises BusUnavailable."""
        with _available(), self._receiver(subscription) as receiver:
            found: ServiceBusReceivedMessage | None = None
            others: list[ServiceBusReceivedMessage] = []
            while found is None and (some := receiver.receive_messages(_SEARCHED, max_wait_time=2)):
                found = next((each for each in some if each.sequence_number == sequence), None)
                others += [each for each in some if each is not found]
            if found is not None:
                with self._client.get_topic_sender(self._topic) as sender:
                    sender.send_messages(_again(found))
                receiver.complete_message(found)
            for each in others:
                receiver.abandon_message(each)
            return found is not None

    def _receiver(self, subscription: str) -> ServiceBusReceiver:
        dead = ServiceBusSubQueue.DEAD_LETTER
        return self._client.get_subscription_receiver(self._topic, subscription, sub_queue=dead)


@contextmanager
def _available() -> Iterator[None]:
    """Whatever the SDK or the credential raise means that the bus is not there now."""
    try:
        yield
    except (AzureError, OSError, ValueError) as error:  # ValueError: the SDK's word for a handler that was closed
        raise BusUnavailable(f"{type(error).__name__}: {error}") from error


def _batches(sender: ServiceBusSender, events: Sequence[Event]) -> list[ServiceBusMessageBatch]:
    """Events in as few batches as hold them. Raises Unpublishable for one that fits in none."""
    found: list[ServiceBusMessageBatch] = []
    for event in events:
        message = _message(event)
        if found and _fits(found[-1], message):
            continue
        found.append(sender.create_message_batch())
        if not _fits(found[-1], message):
            raise Unpublishable(event, f"larger than the {found[-1].max_size_in_bytes} bytes that the bus takes")
    return found


def _fits(batch: ServiceBusMessageBatch, message: ServiceBusMessage) -> bool:
    """Whether a message is in a batch now."""
    try:
        batch.add_message(message)
    except MessageSizeExceededError:
        return False
    return True


def _message(event: Event) -> ServiceBusMessage:
    return ServiceBusMessage(
        event.encode(),
        message_id=str(event.id),
        session_id=event.partitionkey,
        content_type=CONTENT_TYPE,
        application_properties={TYPE: event.type},
    )


def _again(message: ServiceBusReceivedMessage) -> ServiceBusMessage:
    properties = message.application_properties or {}
    said = {_text(name): _text(value) for name, value in properties.items()}
    kept: dict[str | bytes, Any] = {name: value for name, value in said.items() if name not in _SAID_BY_THE_BUS}
    return ServiceBusMessage(
        _body(message),
        message_id=str(uuid.uuid4()),
        session_id=message.session_id,
        content_type=message.content_type,
        application_properties=kept,
    )


def _dead_letter(message: ServiceBusReceivedMessage) -> DeadLetter:
    return DeadLetter(
        sequence=message.sequence_number or 0,
        reason=message.dead_letter_reason or "",
        description=message.dead_letter_error_description or "",
        attempts=message.delivery_count or 0,
        enqueued=message.enqueued_time_utc or datetime.datetime.now(datetime.UTC),
        body=_body(message).decode(errors="replace"),
    )


def _body(message: ServiceBusReceivedMessage) -> bytes:
    return b"".join(message.body)


def _text(value: Any) -> Any:
    """What the SDK reads as bytes and writes as text."""
    return value.decode() if isinstance(value, bytes) else value
