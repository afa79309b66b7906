"""What was acknowledged is there after a kill of the broker, in the state it was acknowledged in."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from azure.servicebus import ServiceBusMessage
from azure.servicebus.exceptions import ServiceBusError

from tests.local.azure.dataplanes.servicebus.conftest import Bus, RunningBroker, body

conforms = pytest.mark.conforms


@conforms("durable")
def test_a_kill_keeps_every_state_and_ends_every_lock(bus: Bus, broker: RunningBroker) -> None:
    queue, sessions = bus.queue(requiresDuplicateDetection=True), bus.queue(requiresSession=True)
    bus.send(queue, *(ServiceBusMessage(str(number), message_id=str(number)) for number in range(4)))
    bus.send(sessions, ServiceBusMessage("in session", session_id="s"))
    with bus.client.get_queue_sender(queue) as sender:
        sender.schedule_messages(ServiceBusMessage("later"), datetime.now(UTC) + timedelta(hours=1))
    with bus.client.get_queue_receiver(sessions, session_id="s") as receiver:
        receiver.session.set_state(b"state")
    receiver = bus.client.get_queue_receiver(queue)
    completed, deferred, buried = (receiver.receive_messages(max_wait_time=5)[0] for _ in range(3))
    receiver.complete_message(completed)
    receiver.defer_message(deferred)
    receiver.dead_letter_message(buried, reason="bad")
    (locked,) = receiver.receive_messages(max_wait_time=5)
    broker.kill()
    broker.start()
    bus.send(queue, ServiceBusMessage("0 again", message_id="0"))
    with bus.client.get_queue_receiver(queue) as after:
        peeked = {body(each): each for each in after.peek_messages(9, sequence_number=1)}
        assert set(peeked) == {"1", "3", "later"}
        assert [peeked[each].state.name for each in ("1", "3", "later")] == ["DEFERRED", "ACTIVE", "SCHEDULED"]
        assert peeked["3"].sequence_number == locked.sequence_number
        (again,) = after.receive_messages(max_wait_time=5)
        assert (body(again), again.delivery_count) == ("3", 0)
        after.complete_message(again)
    with bus.client.get_queue_receiver(queue, sub_queue="deadletter") as dead:
        assert [each.dead_letter_reason for each in dead.peek_messages(sequence_number=1)] == ["bad"]
    with bus.client.get_queue_receiver(sessions, session_id="s") as after:
        assert after.session.get_state() == b"state"
        assert [body(each) for each in after.receive_messages(max_wait_time=5)] == ["in session"]


@pytest.mark.full
@pytest.mark.timeout(240)
@conforms("killed-in-traffic")
def test_kills_in_the_middle_of_traffic_lose_and_double_nothing_acknowledged(bus: Bus, broker: RunningBroker) -> None:
    queue = bus.queue(lockDuration="PT30S", maxDeliveryCount=100)
    accepted: list[int] = []
    settled: list[int] = []
    came: list[tuple[int, bool]] = []
    sending, receiving = threading.Event(), threading.Event()

    def produce() -> None:
        number = 0
        with bus.client.get_queue_sender(queue) as sender:
            while not sending.is_set():
                number += 1
                if _tried(lambda n=number: sender.send_messages(ServiceBusMessage(str(n)))):
                    accepted.append(number)

    def consume() -> None:
        done: set[int] = set()
        while not receiving.is_set():
            try:
                with bus.client.get_queue_receiver(queue, prefetch_count=5) as receiver:
                    while not receiving.is_set():
                        for message in receiver.receive_messages(1, max_wait_time=1):
                            number = int(body(message))
                            came.append((number, number in done))
                            receiver.complete_message(message)
                            done.add(number)
                            settled.append(number)
            except (ServiceBusError, OSError, ValueError):
                time.sleep(0.1)

    threads = [threading.Thread(target=each) for each in (produce, consume)]
    for each in threads:
        each.start()
    while not accepted and threads[0].is_alive():
        time.sleep(0.05)
    for _ in range(6):
        time.sleep(random.uniform(0.5, 2.5))
        broker.kill()
        broker.start()
    time.sleep(2)
    sending.set()
    threads[0].join(60)
    deadline = time.monotonic() + 60
    while not set(accepted) <= {number for number, _ in came} and time.monotonic() < deadline:
        time.sleep(0.5)
    receiving.set()
    threads[1].join(60)
    assert len(accepted) > 50, "too little traffic to tell"
    # One whose completion was carried out before the kill, and never confirmed, does not come again: it came once.
    assert set(accepted) <= {number for number, _ in came}, "an accepted message was lost"
    assert not [number for number, again in came if again], "a message came again after its completion was confirmed"
    assert len(settled) == len(set(settled))
    assert bus.received(queue, wait=2) == []


def _tried(action: Callable[[], None]) -> bool:
    try:
        action()
    except (ServiceBusError, OSError, ValueError):
        time.sleep(0.1)
        return False
    return True
