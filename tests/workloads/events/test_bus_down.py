"""The Service Bus is down for a minute, dead or frozen: every event is delivered, and handled once.

By the services' own way: outbox, relay, the official SDK, the embedded Azure's broker, consumer, inbox.
"""

from __future__ import annotations

import signal
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import func, select

from tests.bench.backend import backbone
from tests.bench.backend.backbone import Backbone as Broker
from tests.workloads.servers import Postgres
from workloads.chassis.database import Database
from workloads.chassis.events import outbox
from workloads.chassis.events.backbone import Backbone
from workloads.chassis.events.consumer import Handling
from workloads.chassis.events.tables import OutboxEvent
from workloads.services.transaction import store
from workloads.services.transaction.models import Ledger

DOWN_SECONDS = 60
EVERY_SECONDS = 0.1
USERS = [uuid.uuid4() for _ in range(5)]
TYPE = "transactions.imported"


def freeze(broker: Any) -> None:
    broker.process.send_signal(signal.SIGSTOP)


def thaw(broker: Any) -> None:
    broker.process.send_signal(signal.SIGCONT)


@pytest.fixture(scope="module")
def broker() -> Iterator[Broker]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SSL_CERT_FILE", "")  # given back afterwards: the broker names its own roots
        with backbone.running({"enrichment": [TYPE]}) as running:
            yield running


def handle(handling: Handling) -> None:
    """Counts an event in its transaction: one that is handled twice counts twice."""
    with handling.transaction() as session:
        store.ledger(session, handling.user).revision += 1


def counted_of(database: Database, user: uuid.UUID) -> int:
    with database.session(user) as session:
        return session.scalar(select(Ledger.revision)) or 0


def counted(database: Database) -> dict[uuid.UUID, int]:
    return {each: counted_of(database, each) for each in USERS}


class Writer(threading.Thread):
    """A service at work: an event every tenth of a second, for one person after the other."""

    def __init__(self, database: Database) -> None:
        super().__init__(daemon=True)
        self.database, self.stopping, self.written = database, threading.Event(), dict.fromkeys(USERS, 0)

    def run(self) -> None:
        number = 0
        while not self.stopping.wait(EVERY_SECONDS):
            user = USERS[number % len(USERS)]
            with self.database.session(user) as session:
                outbox.write(session, "transaction", TYPE, user, {"n": number})
            self.written[user] += 1
            number += 1


def eventually(condition: Callable[[], bool], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.5)
    return condition()


@pytest.mark.full
@pytest.mark.parametrize(
    ("goes", "comes"), [(lambda each: each.kill(), lambda each: each.start()), (freeze, thaw)], ids=["dead", "frozen"]
)
def test_a_bus_that_is_down_for_a_minute_loses_nothing_and_doubles_nothing(
    server: Postgres, broker: Broker, goes: Callable[[Any], None], comes: Callable[[Any], None]
) -> None:
    name = uuid.uuid4().hex[:8]
    source, target = (Database(server.service_url("transaction", f"{side}_{name}")) for side in ("from", "to"))
    publishing = Backbone("transaction", source, broker.bus(), {}, None)
    handling = Backbone("enrichment", target, broker.bus(), {TYPE: handle}, None)
    writer, operator = Writer(source), broker.bus()
    try:
        for each in (publishing, handling, writer):
            each.start()
        assert eventually(lambda: all(counted(target).values()), 60), "events flow"
        goes(broker.broker)
        down = time.monotonic()
        try:
            time.sleep(DOWN_SECONDS)
            with source.session() as session:
                waiting = session.scalar(select(func.count(OutboxEvent.sequence))) or 0
            before = sum(counted(target).values())
        finally:
            comes(broker.broker)
        assert time.monotonic() - down >= DOWN_SECONDS
        assert waiting >= 100, "the service went on, and its events waited"
        assert sum(writer.written.values()) - before >= waiting
        time.sleep(2)
        writer.stopping.set()
        writer.join(10)
        assert eventually(lambda: counted(target) == writer.written, 180), (counted(target), writer.written)
        time.sleep(5)  # what is delivered once more would come now
        assert counted(target) == writer.written
        assert list(operator.dead_letters.peek("enrichment", 10)) == []
    finally:
        operator.close()
        writer.stopping.set()
        publishing.close()
        handling.close()
        source.close()
        target.close()
