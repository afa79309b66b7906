"""Sessions: one receiver at a time, in order, with a state that outlives it."""

from __future__ import annotations

import threading
import time

import pytest
from azure.servicebus import NEXT_AVAILABLE_SESSION, ServiceBusMessage
from azure.servicebus.exceptions import (
    OperationTimeoutError,
    ServiceBusError,
    SessionCannotBeLockedError,
    SessionLockLostError,
)

from tests.local.azure.dataplanes.servicebus.conftest import Bus, body

conforms = pytest.mark.conforms


def sessions(bus: Bus, *ids: str, **properties: object) -> str:
    """A queue that requires sessions, with a message a given session, its body numbered."""
    queue = bus.queue(requiresSession=True, **properties)
    messages = [ServiceBusMessage(str(number), session_id=each) for number, each in enumerate(ids)]
    with bus.client.get_queue_sender(queue) as sender:
        for message in messages:
            sender.send_messages(message)
    return queue


@conforms("session-named")
def test_a_named_session_gives_its_own_messages_in_order(bus: Bus) -> None:
    queue = sessions(bus, "a", "b", "a")
    with bus.client.get_queue_receiver(queue, session_id="a") as receiver:
        found = receiver.receive_messages(3, max_wait_time=2)
        assert [(body(each), each.session_id) for each in found] == [("0", "a"), ("2", "a")]
        for each in found:
            receiver.complete_message(each)
        assert receiver.peek_messages(9, sequence_number=1) == []
        assert receiver.session.session_id == "a"


@conforms("session-next")
def test_the_next_session_is_one_that_nobody_holds(bus: Bus) -> None:
    queue = sessions(bus, "a", "b")
    with (
        bus.client.get_queue_receiver(queue, session_id=NEXT_AVAILABLE_SESSION) as first,
        bus.client.get_queue_receiver(queue, session_id=NEXT_AVAILABLE_SESSION) as second,
    ):
        assert [first.session.session_id, second.session.session_id] == ["a", "b"]


@conforms("session-next-waits")
def test_who_asks_for_the_next_session_waits_as_long_as_told(bus: Bus) -> None:
    queue = sessions(bus)
    options = {"session_id": NEXT_AVAILABLE_SESSION, "max_wait_time": 1}
    with pytest.raises(OperationTimeoutError):
        bus.client.get_queue_receiver(queue, **options).receive_messages()
    waiting = bus.client.get_queue_receiver(queue, session_id=NEXT_AVAILABLE_SESSION, max_wait_time=10)
    later = threading.Timer(0.5, bus.send, (queue, ServiceBusMessage("late", session_id="z")))
    later.start()
    with waiting:
        assert [body(each) for each in waiting.receive_messages()] == ["late"]
    later.join()


@conforms("session-lock")
def test_a_session_has_one_receiver_and_is_free_when_that_closes(bus: Bus) -> None:
    queue = sessions(bus, "a")
    with bus.client.get_queue_receiver(queue, session_id="a") as receiver:
        (message,) = receiver.receive_messages(max_wait_time=5)
        with pytest.raises(SessionCannotBeLockedError):
            bus.client.get_queue_receiver(queue, session_id="a").receive_messages(max_wait_time=10)
    with bus.client.get_queue_receiver(queue, session_id="a") as receiver:
        (message,) = receiver.receive_messages(max_wait_time=5)
        assert message.delivery_count == 0
        receiver.complete_message(message)


@conforms("session-lock-expiry")
def test_a_session_lock_that_runs_out_loses_what_was_received(bus: Bus) -> None:
    queue = sessions(bus, "a", lockDuration="PT1S")
    with bus.client.get_queue_receiver(queue, session_id="a") as receiver:
        (message,) = receiver.receive_messages(max_wait_time=5)
        time.sleep(1.2)
        receiver.session._locked_until_utc = None  # what the client believes: the broker says the same
        with pytest.raises((SessionLockLostError, ServiceBusError), match="session-lock-lost"):
            receiver.complete_message(message)
    with bus.client.get_queue_receiver(queue, session_id="a") as receiver:
        (again,) = receiver.receive_messages(max_wait_time=5)
        assert again.delivery_count == 1
        receiver.complete_message(again)


@conforms("session-lock-expiry")
def test_a_receiver_that_lost_its_session_takes_nothing_of_another(bus: Bus) -> None:
    queue = sessions(bus, "a", lockDuration="PT1S")
    with bus.client.get_queue_receiver(queue, session_id="a", prefetch_count=5) as receiver:
        assert [body(each) for each in receiver.receive_messages(max_wait_time=5)] == ["0"]
        time.sleep(1.2)
        bus.send(queue, ServiceBusMessage("other", session_id="b"))
        with bus.client.get_queue_receiver(queue, session_id="b") as other:
            (message,) = other.receive_messages(max_wait_time=5)
            assert (body(message), message.delivery_count) == ("other", 0)
            other.complete_message(message)


@pytest.mark.full
@conforms("session-lock-renewal")
def test_a_renewed_session_lock_lasts(bus: Bus) -> None:
    queue = sessions(bus, "a", lockDuration="PT3S")
    with bus.client.get_queue_receiver(queue, session_id="a") as receiver:
        (message,) = receiver.receive_messages(max_wait_time=5)
        for _ in range(3):
            time.sleep(1.2)
            assert receiver.session.renew_lock().timestamp() > time.time()
        receiver.complete_message(message)


@conforms("session-state")
def test_a_session_keeps_its_state_for_the_next_receiver(bus: Bus) -> None:
    queue = sessions(bus, "a")
    with bus.client.get_queue_receiver(queue, session_id="a") as receiver:
        assert receiver.session.get_state() is None
        receiver.session.set_state(b"half done")
    with bus.client.get_queue_receiver(queue, session_id="a") as receiver:
        assert receiver.session.get_state() == b"half done"
        receiver.session.set_state(None)
        assert receiver.session.get_state() is None


@conforms("session-settling")
def test_messages_of_a_session_are_abandoned_deferred_and_dead_lettered_like_others(bus: Bus) -> None:
    queue = sessions(bus, "a", "a", "a")
    with bus.client.get_queue_receiver(queue, session_id="a") as receiver:
        (first,) = receiver.receive_messages(max_wait_time=5)
        receiver.abandon_message(first)
        (again,) = receiver.receive_messages(max_wait_time=5)
        assert (body(again), again.delivery_count) == ("0", 1)
        receiver.defer_message(again)
        (second,) = receiver.receive_messages(max_wait_time=5)
        receiver.dead_letter_message(second, reason="x")
        assert again.sequence_number is not None
        (deferred,) = receiver.receive_deferred_messages(again.sequence_number)
        receiver.complete_message(deferred)
        (third,) = receiver.receive_messages(max_wait_time=5)
        receiver.complete_message(third)
    with bus.client.get_queue_receiver(queue, sub_queue="deadletter") as receiver:
        (dead,) = receiver.receive_messages(max_wait_time=5)
        assert (body(dead), dead.session_id) == ("1", "a")
        receiver.complete_message(dead)


@conforms("session-list")
def test_sessions_with_messages_or_a_state_are_listed(bus: Bus) -> None:
    queue = sessions(bus, "b", "a")
    with bus.client.get_queue_receiver(queue, session_id="c") as receiver:
        receiver.session.set_state(b"x")
    assert list(bus.client.list_queue_sessions(queue)) == ["a", "b", "c"]


@conforms("session-required")
def test_sessions_are_neither_left_out_nor_asked_for_in_vain(bus: Bus) -> None:
    queue, plain = sessions(bus), bus.queue()
    with pytest.raises(ServiceBusError, match="requires sessions"):
        bus.send(queue, ServiceBusMessage("x"))
    with pytest.raises(ServiceBusError, match="requires sessions"):
        bus.client.get_queue_receiver(queue).receive_messages(max_wait_time=10)
    with pytest.raises(ServiceBusError, match="has no sessions"):
        bus.client.get_queue_receiver(plain, session_id="a").receive_messages(max_wait_time=10)


@conforms("session-subscription")
def test_a_subscription_with_sessions_makes_dead_letters_of_messages_without(bus: Bus) -> None:
    topic = bus.topic()
    bus.subscription(topic, "one", requiresSession=True)
    with bus.client.get_topic_sender(topic) as sender:
        sender.send_messages([ServiceBusMessage("in", session_id="s")])
        sender.send_messages([ServiceBusMessage("out")])
    with bus.client.get_subscription_receiver(topic, "one", session_id="s") as receiver:
        assert [body(each) for each in receiver.receive_messages(max_wait_time=5)] == ["in"]
    with bus.client.get_subscription_receiver(topic, "one", sub_queue="deadletter") as receiver:
        assert [body(each) for each in receiver.peek_messages(sequence_number=1)] == ["out"]
