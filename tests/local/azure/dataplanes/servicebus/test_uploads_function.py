"""The function of uploads on the broker, with the rights that the platform gives it: from the queue to the topic."""

from __future__ import annotations

import datetime
import json
import ssl
import uuid
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from azure.servicebus import ServiceBusMessage

from stacks.services import SERVICES
from stacks.topics import EVENTS, topics
from tests.local.azure.dataplanes.conftest import Identity
from tests.local.azure.dataplanes.servicebus.conftest import RECEIVER, SENDER, Bus, body
from tests.workloads.function_host import wake
from workloads.chassis import clock
from workloads.chassis.events.bus import ServiceBus
from workloads.chassis.events.envelope import Event
from workloads.chassis.events.port import BusUnavailable
from workloads.functions import function_app, uploads
from workloads.services.document.orphans import STORED

SUBSCRIPTION = "document"


@dataclass
class Platform:
    """A queue of uploads, the topic, and the app's identity with one right at each."""

    bus: Bus
    queue: str
    topic: str
    identity: Identity

    def event_grid_tells(self, written: datetime.datetime) -> uuid.UUID:
        """Of a file; its id."""
        user, document = uuid.uuid4(), uuid.uuid4()
        word = {
            "id": str(uuid.uuid4()), "type": "Microsoft.Storage.BlobCreated", "time": written.isoformat(),
            "subject": f"/blobServices/default/containers/uploads/blobs/{user}/{document}",
        }  # fmt: skip
        self.bus.send(self.queue, ServiceBusMessage(json.dumps(word)))
        return document

    def host_wakes_the_app(self) -> None:
        """What the Functions host does: takes a message as the app, hands it over, and settles it."""
        with (
            self.bus.client_of(self.identity) as client,
            client.get_queue_receiver(self.queue, max_wait_time=20) as receiver,
        ):
            (message,) = receiver.receive_messages(1)
            try:
                wake(body(message).encode())
            except Exception:
                receiver.abandon_message(message)
                raise
            receiver.complete_message(message)


@pytest.fixture
def platform(bus: Bus, monkeypatch: pytest.MonkeyPatch) -> Iterator[Platform]:
    monkeypatch.setenv("SSL_CERT_FILE", str(bus.embedded.instance.ca_bundle))
    assert ssl.get_default_verify_paths().cafile == str(bus.embedded.instance.ca_bundle)
    queue, topic = bus.queue(), bus.topic(requiresDuplicateDetection=True)
    (declared,) = topics(SERVICES)[EVENTS].subscriptions[SUBSCRIPTION].filters.values()
    bus.subscription(topic, SUBSCRIPTION, {"filterType": "SqlFilter", "sqlFilter": {"sqlExpression": declared.sql}})
    identity = bus.embedded.identity((RECEIVER, bus.entity(queue)), (SENDER, bus.entity(topic, "topics")))
    sending = ServiceBus(bus.endpoint, topic, identity.credential)
    monkeypatch.setattr(function_app, "bus", lambda: sending)
    yield Platform(bus, queue, topic, identity)
    sending.close()


def test_files_are_told_of_to_the_service_that_keeps_documents_once_their_time_of_grace_is_over(
    platform: Platform,
) -> None:
    platform.event_grid_tells(clock.now())
    platform.host_wakes_the_app()
    yesterdays = platform.event_grid_tells(clock.now() - uploads.GRACE)
    platform.host_wakes_the_app()
    with platform.bus.client.get_subscription_receiver(platform.topic, SUBSCRIPTION) as receiver:
        (message,) = receiver.receive_messages(2, max_wait_time=20)
    event = Event.decode(body(message))
    assert (event.type, event.data) == (STORED, {"document_id": str(yesterdays)})


def test_a_word_that_can_not_be_passed_on_stays_in_the_queue(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    platform.event_grid_tells(clock.now())
    stranger = platform.bus.embedded.identity((RECEIVER, platform.bus.entity(platform.queue)))
    sending = ServiceBus(platform.bus.endpoint, platform.topic, stranger.credential)
    monkeypatch.setattr(function_app, "bus", lambda: sending)
    with pytest.raises(BusUnavailable, match="unauthorized-access"):
        platform.host_wakes_the_app()
    sending.close()
    assert len(platform.bus.received(platform.queue, wait=20)) == 1
