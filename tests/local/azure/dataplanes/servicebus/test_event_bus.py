"""The services' event bus on the broker: what its port promises."""

from __future__ import annotations

import ssl
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from tests.local.azure.dataplanes.servicebus.conftest import OWNER, Bus, RunningBroker
from workloads.chassis.events.bus import ServiceBus
from workloads.chassis.events.envelope import Event
from workloads.chassis.events.port import BusUnavailable, Unpublishable

SUBSCRIPTION = "account"


def event(type_: str = "transactions.imported", user: uuid.UUID | None = None, **data: Any) -> Event:
    return Event.new("transaction", type_, user or uuid.uuid4(), data)


@pytest.fixture
def trusting(bus: Bus, monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine's roots as a pod has them."""
    monkeypatch.setenv("SSL_CERT_FILE", str(bus.embedded.instance.ca_bundle))
    assert ssl.get_default_verify_paths().cafile == str(bus.embedded.instance.ca_bundle)


@pytest.fixture
def service_bus(bus: Bus, trusting: None) -> Iterator[ServiceBus]:
    topic = bus.topic(requiresDuplicateDetection=True)
    wanted = {"filterType": "SqlFilter", "sqlFilter": {"sqlExpression": "type IN ('transactions.imported')"}}
    bus.subscription(topic, SUBSCRIPTION, wanted)
    made = ServiceBus(bus.endpoint, topic, bus.owner.credential)
    yield made
    made.close()


def test_a_subscription_gets_the_events_it_handles_in_order_and_once(service_bus: ServiceBus) -> None:
    user = uuid.uuid4()
    events = [event(user=user, number=number) for number in range(5)]
    service_bus.publish([*events[:3], event("accounts.linked")])
    service_bus.publish([*events[1:]])  # what a relay does that lost its answer
    receiver = service_bus.receiver(SUBSCRIPTION)
    found = []
    while some := receiver.receive(10, 1):
        for each in some:
            assert each.attempt == 1
            found.append(Event.decode(each.body))
            each.complete()
    receiver.close()
    assert found == events


def test_an_abandoned_event_counts_its_attempts(service_bus: ServiceBus) -> None:
    service_bus.publish([event()])
    receiver = service_bus.receiver(SUBSCRIPTION)
    (first,) = receiver.receive(1, 5)
    first.abandon()
    (second,) = receiver.receive(1, 5)
    assert second.attempt == 2
    second.complete()
    receiver.close()


def test_a_dead_letter_is_listed_and_replayed_once(service_bus: ServiceBus) -> None:
    one, other = event(number=1), event(number=2)
    service_bus.publish([one, other])
    receiver = service_bus.receiver(SUBSCRIPTION)
    for _ in range(2):
        (delivery,) = receiver.receive(1, 5)
        delivery.dead_letter("Unprocessable", "no handler")
    listed = service_bus.dead_letters.peek(SUBSCRIPTION, 10)
    assert [(Event.decode(each.body), each.reason, each.description) for each in listed] == [
        (one, "Unprocessable", "no handler"),
        (other, "Unprocessable", "no handler"),
    ]
    assert service_bus.dead_letters.replay(SUBSCRIPTION, listed[1].sequence)
    assert not service_bus.dead_letters.replay(SUBSCRIPTION, listed[1].sequence)
    (again,) = receiver.receive(1, 5)
    assert Event.decode(again.body) == other
    again.complete()
    receiver.close()
    assert [each.sequence for each in service_bus.dead_letters.peek(SUBSCRIPTION, 10)] == [listed[0].sequence]


def test_an_event_that_no_batch_holds_is_named_before_anything_is_sent(service_bus: ServiceBus) -> None:
    large = event(text="x" * 300_000)
    with pytest.raises(Unpublishable) as caught:
        service_bus.publish([event(), large])
    assert caught.value.event == large
    service_bus.publish([event(after=True)])
    receiver = service_bus.receiver(SUBSCRIPTION)
    assert [Event.decode(each.body).data for each in receiver.receive(3, 10)] == [{"after": True}]
    receiver.close()


def test_many_events_take_several_batches(service_bus: ServiceBus) -> None:
    events = [event(number=number, text="x" * 20_000) for number in range(30)]
    service_bus.publish(events)
    receiver = service_bus.receiver(SUBSCRIPTION)
    found = []
    while some := receiver.receive(30, 1):
        found += [Event.decode(each.body).data["number"] for each in some]
    receiver.close()
    assert found == list(range(30))


@pytest.mark.full
def test_without_the_broker_the_bus_is_unavailable_and_comes_back(
    bus: Bus, broker: RunningBroker, service_bus: ServiceBus
) -> None:
    service_bus.publish([event(number=1)])
    receiver = service_bus.receiver(SUBSCRIPTION)
    (kept,) = receiver.receive(1, 5)
    broker.kill()
    try:
        with pytest.raises(BusUnavailable):
            service_bus.publish([event(number=2)])
        with pytest.raises(BusUnavailable):
            kept.complete()
    finally:
        broker.start()
    service_bus.publish([event(number=3)])
    receiver.close()
    fresh = service_bus.receiver(SUBSCRIPTION)
    found = [Event.decode(each.body).data["number"] for _ in range(2) for each in fresh.receive(1, 5)]
    fresh.close()
    assert found == [1, 3]


def test_an_identity_without_a_role_is_told_that_the_bus_is_unavailable(bus: Bus, trusting: None) -> None:
    topic = bus.topic()
    stranger = ServiceBus(bus.endpoint, topic, bus.embedded.identity((OWNER, bus.entity("other"))).credential)
    with pytest.raises(BusUnavailable, match="unauthorized-access"):
        stranger.publish([event()])
    stranger.close()
