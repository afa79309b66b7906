"""Outbox and relay: an event goes out if and only if its change is there, in order, whoever relays."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable

import pytest
from sqlalchemy import func, select

from tests.workloads.memory_bus import MemoryBus
from workloads.chassis.database import Database
from workloads.chassis.events import outbox
from workloads.chassis.events.port import BusUnavailable
from workloads.chassis.events.relay import Relay
from workloads.chassis.events.tables import OutboxEvent

USER = uuid.uuid4()


def write(database: Database, *numbers: int, user: uuid.UUID = USER) -> None:
    with database.session(user) as session:
        for n in numbers:
            outbox.write(session, "transaction", "transactions.imported", user, {"n": n})


def waiting(database: Database) -> int:
    with database.session() as session:
        return session.scalar(select(func.count(OutboxEvent.sequence))) or 0


def numbers(bus: MemoryBus, user: uuid.UUID = USER) -> list[int]:
    return [each.data["n"] for each in bus.published if each.user == user]


def test_a_change_that_is_rolled_back_tells_nobody(database: Database) -> None:
    bus = MemoryBus({"a": ()})

    def change_and_fail() -> None:
        with database.session(USER) as session:
            outbox.write(session, "transaction", "transactions.imported", USER, {"n": 1})
            raise RuntimeError

    with pytest.raises(RuntimeError):
        change_and_fail()
    assert Relay(database, bus).publish_batch() == 0
    assert bus.published == []


def test_a_service_publishes_its_own_events_only(database: Database) -> None:
    with pytest.raises(ValueError, match="no event that transaction publishes"), database.session(USER) as session:
        outbox.write(session, "transaction", "consent.revoked", USER, {})


def test_events_go_out_in_the_order_they_were_written_and_leave_the_outbox(database: Database) -> None:
    bus = MemoryBus({"a": ()})
    write(database, *range(250))
    relay = Relay(database, bus)
    while relay.publish_batch():
        pass
    assert numbers(bus) == list(range(250))
    assert waiting(database) == 0


def test_a_commit_wakes_the_relay_at_once(database: Database) -> None:
    bus = MemoryBus({"a": ()})
    relay = Relay(database, bus)
    relay.start()
    try:
        threading.Event().wait(0.3)  # it has looked once, and would look again after two seconds
        write(database, 1)
        with bus.changed:
            assert bus.changed.wait_for(lambda: numbers(bus) == [1], 1)
    finally:
        relay.stop()


def test_several_relays_racing_publish_each_event_once_and_keep_every_users_order(
    database: Database, open_again: Callable[[Database], Database]
) -> None:
    bus, users = MemoryBus({"a": ()}), [uuid.uuid4() for _ in range(3)]
    relays = [Relay(open_again(database), bus) for _ in range(3)]
    for relay in relays:
        relay.start()
    try:
        writers = [
            threading.Thread(target=lambda u=user: [write(database, n, user=u) for n in range(60)]) for user in users
        ]
        for each in writers:
            each.start()
        for each in writers:
            each.join()
        with bus.changed:
            assert bus.changed.wait_for(lambda: len(bus.published) >= 180, 20)
    finally:
        for relay in relays:
            relay.stop()
    for user in users:
        assert numbers(bus, user) == list(range(60))


def test_while_the_bus_is_down_events_wait_and_none_is_lost(database: Database) -> None:
    bus = MemoryBus({"a": ()}, down=True)
    relay = Relay(database, bus)
    write(database, 1, 2)
    with pytest.raises(BusUnavailable):
        relay.publish_batch()
    assert waiting(database) == 2
    relay.start()
    try:
        bus.down = False
        write(database, 3)
        with bus.changed:
            assert bus.changed.wait_for(lambda: len(bus.published) == 3, 5)
    finally:
        relay.stop()
    assert numbers(bus) == [1, 2, 3]


def test_an_event_that_the_bus_never_takes_is_put_aside_and_stops_nobody(database: Database) -> None:
    bus = MemoryBus({"a": ()})
    with database.session(USER) as session:
        outbox.write(session, "transaction", "transactions.imported", USER, {"n": "x" * 300_000})
    write(database, 2)
    relay = Relay(database, bus)
    while relay.publish_batch():
        pass
    assert numbers(bus) == [2]
    with database.session() as session:
        assert session.scalar(select(OutboxEvent.refused)) == "it is larger than 256 KB"
