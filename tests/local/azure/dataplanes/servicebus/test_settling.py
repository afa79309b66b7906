"""Peek-lock and its outcomes: complete, abandon, defer, dead-letter, lock expiry and renewal, receive and delete."""

from __future__ import annotations

import time

import pytest
from azure.servicebus import ServiceBusMessage, ServiceBusSubQueue
from azure.servicebus.exceptions import MessageLockLostError, MessageNotFoundError, ServiceBusError

from tests.local.azure.dataplanes.servicebus.conftest import Bus, body

conforms = pytest.mark.conforms
DEAD = ServiceBusSubQueue.DEAD_LETTER


@conforms("complete")
def test_a_completed_message_is_gone(bus: Bus) -> None:
    queue = bus.queue()
    bus.send(queue, ServiceBusMessage("one"))
    with bus.client.get_queue_receiver(queue) as receiver:
        (message,) = receiver.receive_messages(max_wait_time=5)
        receiver.complete_message(message)
        assert receiver.peek_messages(sequence_number=1) == []


@conforms("peek-lock")
def test_a_locked_message_is_nobody_elses(bus: Bus) -> None:
    queue = bus.queue()
    bus.send(queue, ServiceBusMessage("one"))
    with bus.client.get_queue_receiver(queue) as receiver, bus.client.get_queue_receiver(queue) as other:
        (message,) = receiver.receive_messages(max_wait_time=5)
        assert message.delivery_count == 0
        assert message.locked_until_utc is not None
        assert 50 < (message.locked_until_utc.timestamp() - time.time()) <= 60
        assert other.receive_messages(max_wait_time=0.5) == []
        receiver.complete_message(message)


@conforms("abandon")
def test_an_abandoned_message_comes_again_with_a_higher_count(bus: Bus) -> None:
    queue = bus.queue()
    bus.send(queue, ServiceBusMessage("one"), ServiceBusMessage("two"))
    with bus.client.get_queue_receiver(queue) as receiver:
        (message,) = receiver.receive_messages(max_wait_time=5)
        receiver.abandon_message(message)
        (again,) = receiver.receive_messages(max_wait_time=5)
        assert (body(again), again.delivery_count) == ("one", 1)
        assert again.sequence_number == message.sequence_number
        receiver.complete_message(again)


@conforms("max-delivery-count")
def test_a_message_delivered_in_vain_too_often_becomes_a_dead_letter(bus: Bus) -> None:
    queue = bus.queue(maxDeliveryCount=2)
    bus.send(queue, ServiceBusMessage("poison", application_properties={"kept": 1}))
    with bus.client.get_queue_receiver(queue) as receiver:
        for _ in range(2):
            (message,) = receiver.receive_messages(max_wait_time=5)
            receiver.abandon_message(message)
    with bus.client.get_queue_receiver(queue, sub_queue=DEAD) as receiver:
        (dead,) = receiver.receive_messages(max_wait_time=5)
        assert dead.dead_letter_reason == "MaxDeliveryCountExceeded"
        assert dead.application_properties is not None
        assert dead.application_properties[b"kept"] == 1
        receiver.complete_message(dead)


@conforms("lock-expiry")
def test_a_lock_that_runs_out_gives_the_message_back_and_settles_nothing(bus: Bus) -> None:
    queue = bus.queue(lockDuration="PT1S")
    bus.send(queue, ServiceBusMessage("one"))
    with bus.client.get_queue_receiver(queue) as receiver:
        (message,) = receiver.receive_messages(max_wait_time=5)
        time.sleep(1.1)
        with pytest.raises(MessageLockLostError):
            receiver.complete_message(message)
        message._expiry = None  # what the client believes: the broker says the same to one whose clock is behind
        (message._raw_amqp_message.annotations or {}).clear()
        with pytest.raises(MessageLockLostError, match="message-lock-lost"):
            receiver.complete_message(message)
        (again,) = receiver.receive_messages(max_wait_time=5)
        assert (body(again), again.delivery_count) == ("one", 1)
        receiver.complete_message(again)


@pytest.mark.full
@conforms("lock-renewal")
def test_a_renewed_lock_lasts(bus: Bus) -> None:
    queue = bus.queue(lockDuration="PT3S")
    bus.send(queue, ServiceBusMessage("one"))
    with bus.client.get_queue_receiver(queue) as receiver:
        (message,) = receiver.receive_messages(max_wait_time=5)
        before = message.locked_until_utc
        for _ in range(3):
            time.sleep(1.2)
            until = receiver.renew_message_lock(message)
        assert before is not None
        assert until > before
        receiver.complete_message(message)


@conforms("lock-renewal-lost")
def test_a_lost_lock_is_not_renewed(bus: Bus) -> None:
    queue = bus.queue()
    bus.send(queue, ServiceBusMessage("one"))
    with bus.client.get_queue_receiver(queue) as receiver:
        (message,) = receiver.receive_messages(max_wait_time=5)
        receiver.complete_message(message)
        message._settled = False
        with pytest.raises(MessageLockLostError):
            receiver.renew_message_lock(message)


@conforms("dead-letter")
def test_a_dead_letter_keeps_its_number_and_says_why(bus: Bus) -> None:
    queue = bus.queue()
    bus.send(queue, ServiceBusMessage("bad", message_id="m1"))
    with bus.client.get_queue_receiver(queue) as receiver:
        (message,) = receiver.receive_messages(max_wait_time=5)
        receiver.dead_letter_message(message, reason="unreadable", error_description="no JSON")
    with bus.client.get_queue_receiver(queue, sub_queue=DEAD) as receiver:
        (dead,) = receiver.receive_messages(max_wait_time=5)
        assert (dead.dead_letter_reason, dead.dead_letter_error_description) == ("unreadable", "no JSON")
        assert (dead.message_id, dead.sequence_number) == ("m1", message.sequence_number)
        receiver.complete_message(dead)


@conforms("dead-letter-twice")
def test_a_dead_letter_can_be_abandoned_for_ever_but_not_dead_lettered(bus: Bus) -> None:
    queue = bus.queue(maxDeliveryCount=1)
    bus.send(queue, ServiceBusMessage("bad"))
    with bus.client.get_queue_receiver(queue) as receiver:
        (message,) = receiver.receive_messages(max_wait_time=5)
        receiver.abandon_message(message)
    with bus.client.get_queue_receiver(queue, sub_queue=DEAD) as receiver:
        for count in (1, 2, 3):
            (dead,) = receiver.receive_messages(max_wait_time=5)
            assert dead.delivery_count == count
            receiver.abandon_message(dead)
        (dead,) = receiver.receive_messages(max_wait_time=5)
        with pytest.raises(ServiceBusError, match="can't be dead-lettered again"):
            receiver.dead_letter_message(dead)


@conforms("defer")
def test_a_deferred_message_waits_until_it_is_asked_for_by_number(bus: Bus) -> None:
    queue = bus.queue()
    bus.send(queue, ServiceBusMessage("first"), ServiceBusMessage("second"))
    with bus.client.get_queue_receiver(queue) as receiver:
        (message,) = receiver.receive_messages(max_wait_time=5)
        number = message.sequence_number
        assert number is not None
        receiver.defer_message(message)
        (other,) = receiver.receive_messages(max_wait_time=5)
        assert body(other) == "second"
        receiver.complete_message(other)
        assert receiver.receive_messages(max_wait_time=0.3) == []
        (deferred,) = receiver.receive_deferred_messages(number)
        assert (body(deferred), deferred.state.name) == ("first", "DEFERRED")
        receiver.renew_message_lock(deferred)
        receiver.abandon_message(deferred)
        (deferred,) = receiver.receive_deferred_messages([number])
        assert deferred.delivery_count == 1
        receiver.complete_message(deferred)
        with pytest.raises(MessageNotFoundError):
            receiver.receive_deferred_messages(number)


@conforms("receive-and-delete")
def test_receive_and_delete_leaves_nothing_to_settle(bus: Bus) -> None:
    queue = bus.queue()
    bus.send(queue, *(ServiceBusMessage(str(number)) for number in range(3)))
    assert bus.received(queue, 3, wait=2) == ["0", "1", "2"]
    with bus.client.get_queue_receiver(queue) as receiver:
        assert receiver.peek_messages(sequence_number=1) == []


@conforms("prefetch")
def test_prefetched_messages_that_nobody_took_come_back_uncounted_when_the_receiver_closes(bus: Bus) -> None:
    queue = bus.queue()
    bus.send(queue, *(ServiceBusMessage(str(number)) for number in range(5)))
    with bus.client.get_queue_receiver(queue, prefetch_count=10) as receiver:
        (message,) = receiver.receive_messages(max_message_count=1, max_wait_time=5)
        receiver.complete_message(message)
    with bus.client.get_queue_receiver(queue) as receiver:
        found = receiver.receive_messages(max_message_count=1, max_wait_time=5)
        assert [(body(each), each.delivery_count) for each in found] == [("1", 0)]


@conforms("order")
def test_messages_come_in_the_order_they_were_accepted(bus: Bus) -> None:
    queue = bus.queue()
    batch = [ServiceBusMessage(str(number)) for number in range(50)]
    with bus.client.get_queue_sender(queue) as sender:
        sender.send_messages(batch[:25])
        for each in batch[25:]:
            sender.send_messages(each)
    found: list[str] = []
    with bus.client.get_queue_receiver(queue, receive_mode="receiveanddelete", prefetch_count=20) as receiver:
        while len(found) < 50 and (some := receiver.receive_messages(50, max_wait_time=3)):
            found += [body(each) for each in some]
    assert found == [str(number) for number in range(50)]
