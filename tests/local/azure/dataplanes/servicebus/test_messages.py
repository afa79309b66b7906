"""What a message carries through the broker, and what happens to it by time: TTL, schedule, duplicates, sizes."""

from __future__ import annotations

import time
import uuid
from datetime import UTC, datetime, timedelta

import pytest
from azure.servicebus import ServiceBusMessage, ServiceBusMessageState, ServiceBusSubQueue
from azure.servicebus.amqp import AmqpAnnotatedMessage
from azure.servicebus.exceptions import MessageNotFoundError, MessageSizeExceededError, ServiceBusError

from tests.local.azure.dataplanes.servicebus.conftest import Bus, body

conforms = pytest.mark.conforms
DEAD = ServiceBusSubQueue.DEAD_LETTER


@conforms("content")
def test_properties_and_bodies_pass_unchanged(bus: Bus) -> None:
    queue, now = bus.queue(), time.time()
    unique = uuid.uuid4()
    sent = ServiceBusMessage(
        b"\x00\xff body",
        application_properties={"text": "ü", "whole": 2**30, "real": 1.5, "yes": True, "id": unique},
        subject="created",
        message_id="m-1",
        correlation_id="c-1",
        content_type="application/json",
        to="there",
        reply_to="here",
        reply_to_session_id="s-2",
        partition_key="p",
    )
    bus.send(queue, sent)
    with bus.client.get_queue_receiver(queue) as receiver:
        (found,) = receiver.receive_messages(max_wait_time=5)
        receiver.complete_message(found)
    assert b"".join(found.body) == b"\x00\xff body"
    assert found.application_properties == {
        b"text": "ü".encode(),
        b"whole": 2**30,
        b"real": 1.5,
        b"yes": True,
        b"id": unique,
    }
    for name in ("subject", "message_id", "correlation_id", "content_type", "to", "reply_to", "reply_to_session_id"):
        assert getattr(found, name) == getattr(sent, name)
    assert found.partition_key == "p"
    assert found.sequence_number == 1
    assert found.enqueued_time_utc is not None
    assert abs(found.enqueued_time_utc.timestamp() - now) < 5


@conforms("body-types")
def test_value_and_sequence_bodies_pass_unchanged(bus: Bus) -> None:
    queue = bus.queue()
    with bus.client.get_queue_sender(queue) as sender:
        sender.send_messages(AmqpAnnotatedMessage(value_body={"a": [1, "b"]}))
        sender.send_messages(AmqpAnnotatedMessage(sequence_body=[[1, 2], [3]]))
    with bus.client.get_queue_receiver(queue, receive_mode="receiveanddelete") as receiver:
        found = [each for _ in range(2) for each in receiver.receive_messages(1, max_wait_time=5)]
    assert found[0].raw_amqp_message.body == {b"a": [1, b"b"]}
    assert list(found[1].raw_amqp_message.body) == [[1, 2], [3]]


@conforms("batch")
def test_a_batch_arrives_as_its_messages(bus: Bus) -> None:
    queue = bus.queue()
    with bus.client.get_queue_sender(queue) as sender:
        batch = sender.create_message_batch()
        for number in range(3):
            batch.add_message(ServiceBusMessage(str(number), message_id=f"m{number}"))
        sender.send_messages(batch)
        sender.send_messages([ServiceBusMessage("3")])
    assert bus.received(queue, 4, wait=2) == ["0", "1", "2", "3"]


@conforms("batch-look-alike")
def test_a_message_whose_body_is_an_encoded_message_stays_one(bus: Bus) -> None:
    queue, inner = bus.queue(), b"\x00\x53\x75\xa0\x03one"
    bus.send(queue, ServiceBusMessage(inner))
    with bus.client.get_queue_receiver(queue, receive_mode="receiveanddelete") as receiver:
        (found,) = receiver.receive_messages(max_wait_time=5)
    assert b"".join(found.body) == inner


@conforms("size")
def test_a_message_over_the_limit_is_refused(bus: Bus) -> None:
    queue = bus.queue()
    with bus.client.get_queue_sender(queue) as sender:
        sender.send_messages(ServiceBusMessage("x" * 250_000))
        with pytest.raises(MessageSizeExceededError):
            sender.send_messages(ServiceBusMessage("x" * 300_000))
        with pytest.raises(MessageSizeExceededError):
            sender.create_message_batch().add_message(ServiceBusMessage("x" * 300_000))
        with pytest.raises(ServiceBusError, match="amqp:link:message-size-exceeded"):
            sender.schedule_messages(ServiceBusMessage("x" * 300_000), datetime.now(UTC) + timedelta(hours=1))


@conforms("large-messages")
def test_a_large_message_takes_many_frames(bus: Bus) -> None:
    queue = bus.queue(maxMessageSizeInKilobytes=4096)
    text = "0123456789" * 100_000
    bus.send(queue, ServiceBusMessage(text))
    assert bus.received(queue, 1, wait=5) == [text]


@conforms("ttl")
def test_a_message_past_its_time_is_not_delivered(bus: Bus) -> None:
    queue = bus.queue()
    bus.send(queue, ServiceBusMessage("stale", time_to_live=timedelta(milliseconds=300)), ServiceBusMessage("fresh"))
    time.sleep(0.6)
    with bus.client.get_queue_receiver(queue) as receiver:
        assert [body(each) for each in receiver.peek_messages(10, sequence_number=1)] == ["fresh"]


@conforms("ttl-dead-letter")
def test_an_expired_message_becomes_a_dead_letter_where_the_entity_says_so(bus: Bus) -> None:
    queue = bus.queue(deadLetteringOnMessageExpiration=True, defaultMessageTimeToLive="PT1S")
    bus.send(queue, ServiceBusMessage("stale"))
    with bus.client.get_queue_receiver(queue, sub_queue=DEAD) as receiver:
        (dead,) = receiver.receive_messages(max_wait_time=5)
        assert (body(dead), dead.dead_letter_reason) == ("stale", "TTLExpiredException")
        assert dead.time_to_live == timedelta(seconds=1)
        receiver.complete_message(dead)


@conforms("schedule")
def test_a_scheduled_message_arrives_when_it_is_due(bus: Bus) -> None:
    queue = bus.queue()
    with bus.client.get_queue_sender(queue) as sender, bus.client.get_queue_receiver(queue) as receiver:
        assert receiver.peek_messages() == []
        due = datetime.now(UTC) + timedelta(seconds=2)
        numbers = sender.schedule_messages([ServiceBusMessage("a"), ServiceBusMessage("b")], due)
        sender.send_messages(ServiceBusMessage("c", scheduled_enqueue_time_utc=due))
        assert len(numbers) == 2
        peeked = receiver.peek_messages(10, sequence_number=1)
        assert [each.state for each in peeked] == [ServiceBusMessageState.SCHEDULED] * 3
        assert receiver.receive_messages(max_wait_time=0.3) == []
        found = receiver.receive_messages(3, max_wait_time=5)
        assert {body(each) for each in found} <= {"a", "b", "c"}
        assert found[0].enqueued_time_utc is not None
        assert found[0].enqueued_time_utc.timestamp() >= due.timestamp() - 0.01


@conforms("schedule-cancel")
def test_a_cancelled_message_never_arrives(bus: Bus) -> None:
    queue = bus.queue()
    with bus.client.get_queue_sender(queue) as sender:
        (number,) = sender.schedule_messages(ServiceBusMessage("never"), datetime.now(UTC) + timedelta(seconds=0.8))
        sender.cancel_scheduled_messages(number)
        with pytest.raises(MessageNotFoundError):
            sender.cancel_scheduled_messages(number)
    time.sleep(1)
    assert bus.received(queue, wait=0.3) == []


@pytest.mark.full
@conforms("duplicates")
def test_a_message_id_counts_once_within_its_window(bus: Bus) -> None:
    queue = bus.queue(requiresDuplicateDetection=True, duplicateDetectionHistoryTimeWindow="PT4S")
    bus.send(queue, *(ServiceBusMessage(text, message_id=text[0]) for text in ("a1", "a2", "b1")))
    assert bus.received(queue, 3, wait=1) == ["a1", "b1"]
    time.sleep(4)
    bus.send(queue, ServiceBusMessage("a3", message_id="a"))
    assert bus.received(queue, 1, wait=3) == ["a3"]


@conforms("peek")
def test_peeking_shows_messages_in_every_state_and_locks_none(bus: Bus) -> None:
    queue = bus.queue()
    bus.send(queue, *(ServiceBusMessage(str(number)) for number in range(4)))
    with bus.client.get_queue_receiver(queue) as receiver:
        (locked,) = receiver.receive_messages(max_wait_time=5)
        (deferred,) = receiver.receive_messages(max_wait_time=5)
        receiver.defer_message(deferred)
        assert [body(each) for each in receiver.peek_messages(2, sequence_number=1)] == ["0", "1"]
        assert [body(each) for each in receiver.peek_messages(9)] == ["2", "3"]
        assert receiver.peek_messages(9) == []
        (free,) = receiver.receive_messages(max_wait_time=5)
        assert (body(free), free.delivery_count) == ("2", 0)
        receiver.complete_message(locked)


@conforms("peek-dead-letters")
def test_dead_letters_can_be_peeked_at(bus: Bus) -> None:
    queue = bus.queue()
    bus.send(queue, ServiceBusMessage("bad"))
    with bus.client.get_queue_receiver(queue) as receiver:
        (message,) = receiver.receive_messages(max_wait_time=5)
        receiver.dead_letter_message(message, reason="x")
    with bus.client.get_queue_receiver(queue, sub_queue=DEAD) as receiver:
        (dead,) = receiver.peek_messages(sequence_number=1)
        assert dead.dead_letter_reason == "x"
