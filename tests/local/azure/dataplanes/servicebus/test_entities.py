"""Entities as they are deployed: what ARM answers, changes while clients are connected, and what is refused."""

from __future__ import annotations

import time
from typing import Any

import pytest
from azure.servicebus import ServiceBusMessage
from azure.servicebus.exceptions import MessagingEntityDisabledError, MessagingEntityNotFoundError, ServiceBusError

from local.azure.context import ArmError, Behaviour, Resource
from tests.local.azure.dataplanes.servicebus.conftest import Bus, body

conforms = pytest.mark.conforms


@conforms("endpoint")
def test_a_namespace_answers_an_endpoint_that_clients_take_as_it_is(bus: Bus) -> None:
    assert bus.endpoint.startswith("https://127.")
    assert bus.endpoint.endswith(":443/")
    queue = bus.queue()
    bus.send(queue, ServiceBusMessage("hello"))
    assert bus.received(queue) == ["hello"]


@conforms("entity-missing")
def test_an_entity_that_is_not_deployed_is_not_found(bus: Bus) -> None:
    with pytest.raises(MessagingEntityNotFoundError):
        bus.send("nowhere", ServiceBusMessage("x"))


@conforms("names-any-case")
def test_names_are_found_in_any_case(bus: Bus) -> None:
    queue = bus.queue()
    bus.send(queue.upper(), ServiceBusMessage("x"))
    assert bus.received(queue) == ["x"]


@conforms("entity-deleted")
def test_a_deleted_entity_ends_its_links_and_takes_its_messages_along(bus: Bus) -> None:
    queue = "short-lived"
    made = bus.put("queues", queue, {})
    with bus.client.get_queue_sender(queue) as sender:
        sender.send_messages(ServiceBusMessage("old"))
        bus.embedded.delete(made)
        time.sleep(0.5)
        with pytest.raises(ServiceBusError):
            sender.send_messages(ServiceBusMessage("lost"))
    bus.put("queues", queue, {})
    bus.send(queue, ServiceBusMessage("new"))
    assert bus.received(queue) == ["new"]


@conforms("entity-status")
def test_a_disabled_entity_neither_takes_nor_gives(bus: Bus) -> None:
    queue = bus.queue(status="SendDisabled")
    with pytest.raises(MessagingEntityDisabledError):
        bus.send(queue, ServiceBusMessage("x"))
    bus.put("queues", queue, {"status": "ReceiveDisabled"})
    bus.send(queue, ServiceBusMessage("x"))
    with pytest.raises(MessagingEntityDisabledError):
        bus.received(queue)
    bus.put("queues", queue, {"status": "Active"})
    assert bus.received(queue) == ["x"]


@conforms("entity-defaults")
def test_azures_defaults_are_filled_in(bus: Bus) -> None:
    made = bus.put("queues", "defaults", {})
    kept = made.properties
    assert (kept["lockDuration"], kept["maxDeliveryCount"], kept["status"]) == ("PT1M", 10, "Active")
    assert kept["createdAt"]
    changed = bus.put("queues", "defaults", {"maxDeliveryCount": 3}).properties
    assert changed["createdAt"] == kept["createdAt"]
    assert changed["maxDeliveryCount"] == 3


@conforms("entity-change")
def test_a_change_counts_for_clients_that_are_connected(bus: Bus) -> None:
    queue = bus.queue(maxDeliveryCount=5)
    bus.send(queue, ServiceBusMessage("x"))
    with bus.client.get_queue_receiver(queue) as receiver:
        (message,) = receiver.receive_messages(max_wait_time=5)
        bus.put("queues", queue, {"maxDeliveryCount": 1})
        receiver.abandon_message(message)
    with bus.client.get_queue_receiver(queue, sub_queue="deadletter") as receiver:
        assert [body(each) for each in receiver.receive_messages(max_wait_time=5)] == ["x"]


def test_an_entity_and_its_namespace_stay_what_they_are_while_they_are_updated(
    bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    lifecycle = bus.embedded.daemon.lifecycle
    queue = bus.put("queues", bus.queue(), {"maxDeliveryCount": 2})
    meanwhile: list[Any] = []

    async def put(self: Behaviour, resource: Resource, previous: Resource | None) -> dict[str, Any]:
        meanwhile.append(lifecycle.store.get(resource.id))
        return {}

    for each in (queue, bus.namespace):
        monkeypatch.setattr(type(lifecycle.behaviour(each.type)), "put", put)
    bus.put("queues", queue.name, {"maxDeliveryCount": 1})
    bus.embedded.put(bus.namespace.type, bus.namespace.name, bus.namespace.body)
    assert meanwhile[0].properties["createdAt"] == queue.properties["createdAt"]
    assert meanwhile[0].properties["maxDeliveryCount"] == 1
    assert meanwhile[1].properties["serviceBusEndpoint"] == bus.namespace.properties["serviceBusEndpoint"]


@conforms("entity-refusals")
@pytest.mark.parametrize(
    ("kind", "properties", "why"),
    [
        ("queues", {"enablePartitioning": True}, "enablePartitioning True is not done here"),
        ("topics", {"enableExpress": True}, "enableExpress True is not done here"),
        ("queues", {"lockDuration": "PT10M"}, "allowed is up to PT5M"),
        ("queues", {"lockDuration": "a minute"}, "no duration such as PT1M"),
        ("queues", {"autoDeleteOnIdle": "PT5M"}, "autoDeleteOnIdle 'PT5M' is not done here"),
    ],
)
def test_what_the_broker_does_not_do_is_refused_when_it_is_deployed(
    bus: Bus, kind: str, properties: dict[str, Any], why: str
) -> None:
    with pytest.raises(ArmError, match=why):
        bus.put(kind, "refused", properties)


@conforms("transfer-dead-letter")
def test_there_is_no_transfer_dead_letter_queue(bus: Bus) -> None:
    with pytest.raises(ServiceBusError, match="not-implemented"):
        bus.client.get_queue_receiver(bus.queue(), sub_queue="transferdeadletter").receive_messages(max_wait_time=10)
