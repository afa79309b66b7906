"""The consumer: each event is handled once, failures are tried again, and nothing blocks those behind it."""

from __future__ import annotations

import datetime
import threading
import uuid
from collections.abc import Callable

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests.workloads.memory_bus import MemoryBus, MemoryDelivery, Message
from workloads.chassis import clock
from workloads.chassis.database import Database
from workloads.chassis.events import consumer as module
from workloads.chassis.events import inbox
from workloads.chassis.events.consumer import Consumer, Handling, Unprocessable
from workloads.chassis.events.envelope import Event
from workloads.chassis.events.tables import HandledEvent
from workloads.services.transaction.models import Ledger

USER = uuid.uuid4()
TYPE = "transactions.imported"


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_LONGEST_PAUSE", 0.01)


def count_up(session: Session) -> None:
    row = session.scalar(select(Ledger))
    if row is None:
        session.add(Ledger(revision=1))
    else:
        row.revision += 1


def handle(handling: Handling) -> None:
    with handling.transaction() as session:
        count_up(session)


def counted(database: Database) -> int:
    with database.session(USER) as session:
        return session.scalar(select(Ledger.revision)) or 0


def event(type_: str = TYPE) -> Event:
    return Event.new("transaction", type_, USER, {})


def run(database: Database, bus: MemoryBus, *handlers: Callable[[Handling], None]) -> None:
    """Consume until everything is settled."""
    consumers = [Consumer("a", {TYPE: each}, database, bus, None) for each in handlers]
    for each in consumers:
        each.start()
    bus.settle()
    for each in consumers:
        each.stop()


def test_an_event_that_is_delivered_again_changes_nothing(database: Database) -> None:
    bus, one = MemoryBus({"a": ()}), event()
    bus.publish([one, one, event(), one])
    run(database, bus, handle)
    assert counted(database) == 2


def test_a_handled_event_whose_settling_was_lost_reaches_no_handler_again(database: Database) -> None:
    bus, one, calls = MemoryBus({"a": ()}), event(), 0

    def counting(handling: Handling) -> None:
        nonlocal calls
        calls += 1
        handle(handling)

    consumer, body = Consumer("a", {TYPE: counting}, database, bus, None), one.encode()
    receiver = bus.receiver("a")
    for attempt in (1, 2):
        bus.busy += 1  # in hand, as after a receive
        consumer.take(MemoryDelivery(receiver, Message(body, attempt)))
    assert (counted(database), calls) == (1, 1)


def test_two_consumers_with_the_same_event_handle_it_once(
    database: Database, open_again: Callable[[Database], Database]
) -> None:
    bus, one, both = MemoryBus({"a": ()}), event(), threading.Barrier(2, timeout=5)

    def slow(handling: Handling) -> None:
        both.wait()
        handle(handling)

    with database.session(USER) as session:
        session.add(Ledger(revision=0))
    bus.publish([one, one])
    run(database, bus, slow, slow)
    assert counted(database) == 1


def test_a_handler_that_fails_is_tried_again_and_leaves_nothing_half_done(database: Database) -> None:
    bus, failures = MemoryBus({"a": ()}), iter(range(7))

    def flaky(handling: Handling) -> None:
        with handling.transaction() as session:
            count_up(session)
            if next(failures, None) is not None:
                raise ConnectionError

    bus.publish([event()])
    run(database, bus, flaky)
    assert counted(database) == 1
    assert bus.given_up == {}


def test_what_always_fails_is_given_up_and_the_next_is_handled(database: Database) -> None:
    bus, bad = MemoryBus({"a": ()}), event()

    def picky(handling: Handling) -> None:
        if handling.event.id == bad.id:
            raise RuntimeError("DE89370400440532013000")
        handle(handling)

    bus.publish([bad, event()])
    run(database, bus, picky)
    assert counted(database) == 1
    [letter] = bus.given_up["a"]
    assert letter.reason == "MaxDeliveryCountExceeded"
    assert "DE89" not in letter.description


def test_what_can_never_be_handled_is_put_aside_at_once_with_its_reason(database: Database) -> None:
    bus = MemoryBus({"a": ()})

    def refuse(handling: Handling) -> None:
        raise Unprocessable("facts are missing")

    bus.publish([event(), event("transaction.booked")])
    bus.queues["a"][1].body = "{"
    bus.publish([event("transaction.booked")])
    run(database, bus, refuse)
    told = [(each.reason, each.description, each.attempts) for each in bus.given_up["a"]]
    assert told == [
        ("Unprocessable", "facts are missing", 1),
        ("Malformed", "not JSON", 1),
        ("Unprocessable", "a has no handler of transaction.booked", 1),
    ]


def test_a_dead_letter_that_is_replayed_is_handled_once(database: Database) -> None:
    bus = MemoryBus({"a": (), "b": ()})
    bus.publish([event()])

    def refuse(handling: Handling) -> None:
        raise Unprocessable("not yet")

    other = Consumer("b", {TYPE: handle}, database, bus, None)
    other.start()
    run(database, bus, refuse)
    other.stop()
    assert counted(database) == 1, "b has handled it"
    assert bus.replay("a", 1)
    assert not bus.replay("a", 1)
    other = Consumer("b", {TYPE: handle}, database, bus, None)
    other.start()
    bus.settle(but=["a"])
    other.stop()
    assert counted(database) == 1, "b knows it"


def test_the_inbox_forgets_what_no_bus_delivers_any_more(database: Database) -> None:
    with database.session(USER) as session:
        inbox.claim(session, event())
        old = HandledEvent(source="/services/x", event_id=uuid.uuid4(), at=clock.now() - inbox.KEPT * 1.1)
        session.add(old)
    with database.session() as session:
        inbox.forget_old(session)
    with database.session() as session:
        assert len(list(session.scalars(select(HandledEvent)))) == 1


def test_a_process_that_runs_on_forgets_batch_by_batch_and_again_when_it_is_time(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbox, "_FORGOTTEN_AT_ONCE", 2)
    consumer = Consumer("a", {TYPE: lambda handling: None}, database, MemoryBus({"a": ()}), None)

    def left(*, added: int = 0) -> int:
        with database.session() as session:
            for n in range(added):
                at = clock.now() - inbox.KEPT * 1.1 - datetime.timedelta(seconds=n)
                session.add(HandledEvent(source="/services/x", event_id=uuid.uuid4(), at=at))
        consumer.forget()
        with database.session() as session:
            return len(list(session.scalars(select(HandledEvent))))

    before = left()
    monkeypatch.setattr(consumer, "_forgets_at", 0.0)
    assert [left(added=5) - before, left() - before] == [2, 0]
    assert left(added=1) - before == 1, "it is not time yet"
    monkeypatch.setattr(consumer, "_forgets_at", 0.0)
    assert left() == before
