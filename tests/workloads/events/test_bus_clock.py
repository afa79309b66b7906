"""Our clock is not the Service Bus': what was handled once is handled once, and settled as soon as the clocks agree.

By the official SDK, which judges by our clock whether a lock still holds (azure.servicebus, ``_lock_expired``).
"""

from __future__ import annotations

import datetime
import time
import uuid
from collections.abc import Iterator

import pytest
from azure.servicebus._common import message as sdk

from tests.bench.backend import backbone
from tests.bench.backend.backbone import Backbone as Broker
from tests.workloads.events.test_bus_down import TYPE, counted_of, handle
from tests.workloads.servers import Postgres
from workloads.chassis.database import Database
from workloads.chassis.events.consumer import Consumer
from workloads.chassis.events.envelope import Event
from workloads.chassis.events.port import BusUnavailable

LOCK = "PT5S"
PATIENCE = 60


@pytest.fixture(scope="module")
def broker() -> Iterator[Broker]:
    """Whose locks are short: one that was not settled in time is delivered again."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SSL_CERT_FILE", "")  # given back afterwards: the broker names its own roots
        with backbone.running({"enrichment": [TYPE]}, lock=LOCK) as running:
            yield running


def take(broker: Broker, consumer: Consumer) -> int:
    """How many deliveries the bus took back as settled; each receiver is a new one, as after any failure."""
    bus, settled = broker.bus(), 0
    receiver = bus.receiver("enrichment")
    try:
        for delivery in receiver.receive(1, 10):
            consumer.take(delivery)
            settled += 1
    except BusUnavailable:
        pass
    finally:
        receiver.close()
        bus.close()
    return settled


@pytest.mark.full
@pytest.mark.parametrize("minutes", [10, -10], ids=["ahead", "behind"])
def test_a_clock_that_is_not_the_bus_handles_an_event_once(
    server: Postgres, broker: Broker, monkeypatch: pytest.MonkeyPatch, minutes: int
) -> None:
    user, database = uuid.uuid4(), Database(server.service_url("transaction", f"clock_{uuid.uuid4().hex[:8]}"))
    operator, right = broker.bus(), sdk.utc_now
    consumer = Consumer("enrichment", {TYPE: handle}, database, operator, None)
    try:
        operator.publish([Event.new("transaction", TYPE, user, {"n": 1})])
        monkeypatch.setattr(sdk, "utc_now", lambda: right() + datetime.timedelta(minutes=minutes))
        settled = take(broker, consumer)
        assert counted_of(database, user) == 1
        assert settled == (0 if minutes > 0 else 1), "the SDK takes a lock for lost whose time seems over"
        monkeypatch.setattr(sdk, "utc_now", right)
        deadline = time.monotonic() + PATIENCE
        while not settled and time.monotonic() < deadline:
            settled = take(broker, consumer)
        assert settled == 1, "it comes again, and is settled"
        assert counted_of(database, user) == 1, "and not handled again"
        assert list(operator.dead_letters.peek("enrichment", 10)) == []
    finally:
        operator.close()
        database.close()
