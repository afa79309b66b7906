"""A namespace behind the broker, as its Daemon says it is started, and clients of the official SDK."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import time
import uuid
import warnings
from collections.abc import Iterator
from typing import Any

import pytest
from azure.servicebus import ServiceBusClient, ServiceBusMessage, ServiceBusReceivedMessage
from azure.servicebus._pyamqp import client as amqp_client
from azure.servicebus._pyamqp.aio import _client_async as amqp_client_async
from azure.servicebus.aio import ServiceBusClient as AsyncServiceBusClient

from local.azure.context import Resource
from local.azure.dataplanes.servicebus.daemon import daemons
from local.instance import Instance
from tests.local.azure.dataplanes.conftest import Embedded, Identity

OWNER, SENDER, RECEIVER = (f"Azure Service Bus Data {each}" for each in ("Owner", "Sender", "Receiver"))


_NAP = 1
"""Seconds that the SDK's keep-alive sleeps; closing a link waits until it wakes (azure-servicebus 7.14, _pyamqp)."""


class _Napping:
    """A module with a sleep, time or asyncio, that cuts the keep-alive's naps short."""

    def __init__(self, module: Any) -> None:
        self._module = module

    def __getattr__(self, name: str) -> Any:
        return getattr(self._module, name)

    def sleep(self, seconds: float) -> Any:
        return self._module.sleep(0.02 if seconds == _NAP else seconds)


@pytest.fixture(scope="session", autouse=True)
def links_close_at_once() -> Iterator[None]:
    """Let the SDK's keep-alive wake often: a closed sender or receiver costs milliseconds instead of up to a second."""
    found = pytest.MonkeyPatch()
    found.setattr(amqp_client, "time", _Napping(time))
    found.setattr(amqp_client_async, "asyncio", _Napping(asyncio))
    yield
    found.undo()


class RunningBroker:
    """The broker as a subprocess."""

    def __init__(self, instance: Instance) -> None:
        (self.daemon,) = daemons(instance, {})
        self.log = instance.logs / "servicebus.log"
        self.log.parent.mkdir(parents=True, exist_ok=True)
        self.start()

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.daemon.argv, cwd=self.daemon.folder, env=dict(os.environ), stdout=log, stderr=log
            )
        deadline = time.monotonic() + 30
        while not self.daemon.ready():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"the broker did not start:\n{self.log.read_text()[-4000:]}")
            time.sleep(0.02)

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(10)


@pytest.fixture(autouse=True)
def brought_back(request: pytest.FixtureRequest) -> None:
    """Has a broker that ended by itself serve again, as the supervisor does, and the run's summary tell of it."""
    if {"broker", "bus"} & set(request.fixturenames):
        running: RunningBroker = request.getfixturevalue("broker")
        if (code := running.process.poll()) is not None:
            said = running.log.read_text()[-4000:]
            warnings.warn(
                f"the broker had ended by itself with {code} before {request.node.name}:\n{said}", stacklevel=1
            )
            running.start()


class Bus:
    """A namespace, and its owner's clients. retry_total is 0: a refusal is seen at once."""

    def __init__(self, embedded: Embedded, namespace: Resource) -> None:
        self.embedded, self.namespace = embedded, namespace
        self.endpoint = str(namespace.properties["serviceBusEndpoint"])
        self.options: dict[str, Any] = {
            "connection_verify": str(embedded.instance.ca_bundle),
            "retry_total": 0,
        }
        self.owner = embedded.identity((OWNER, namespace.id))
        self.client = self.client_of(self.owner)

    def client_of(self, identity: Identity, **options: Any) -> ServiceBusClient:
        return ServiceBusClient(self.endpoint, identity.credential, **self.options | options)

    def async_client(self, credential: Any) -> AsyncServiceBusClient:
        return AsyncServiceBusClient(self.endpoint, credential, **self.options)

    def queue(self, **properties: Any) -> str:
        return self._made("queues", f"q-{uuid.uuid4().hex[:8]}", properties)

    def topic(self, **properties: Any) -> str:
        return self._made("topics", f"t-{uuid.uuid4().hex[:8]}", properties)

    def subscription(self, topic: str, name: str, *filters: dict[str, Any], **properties: Any) -> str:
        """A subscription; with filters, these in place of the default rule."""
        path = f"{topic}/{name}"
        made = self.put("topics/subscriptions", path, properties)
        for number, each in enumerate(filters):
            rule = "$Default" if number == 0 else f"rule{number}"
            self.put("topics/subscriptions/rules", f"{path}/{rule}", each)
        return made.name

    def put(self, kind: str, path: str, properties: dict[str, Any]) -> Resource:
        """Deploy something within the namespace, checked as ARM does. kind, path: e.g. "topics" and its name."""
        provider, body = f"Microsoft.ServiceBus/namespaces/{kind}", {"properties": properties}
        checked = Resource(f"{self.namespace.id}/{kind}/{path}", path.rsplit("/", 1)[-1], provider, body)
        self.embedded.run(self.embedded.daemon.lifecycle.behaviour(provider).check(checked, None))
        return self.embedded.put(provider, f"{self.namespace.name}/{path}", body)

    def entity(self, name: str, kind: str = "queues") -> str:
        return f"{self.namespace.id}/{kind}/{name}"

    def _made(self, kind: str, name: str, properties: dict[str, Any]) -> str:
        self.put(kind, name, properties)
        return name

    # What most tests do

    def send(self, entity: str, *messages: ServiceBusMessage) -> None:
        with self.client.get_queue_sender(entity) as sender:
            for each in messages:
                sender.send_messages(each)

    def received(self, queue: str, count: int = 10, wait: float = 1.0, **options: Any) -> list[str]:
        """Bodies of up to so many messages, received and deleted."""
        with self.client.get_queue_receiver(queue, receive_mode="receiveanddelete", **options) as receiver:
            return [body(each) for each in receiver.receive_messages(count, max_wait_time=wait)]


def body(message: ServiceBusReceivedMessage) -> str:
    return b"".join(message.body).decode()


@pytest.fixture(scope="session")
def broker(embedded: Embedded) -> Iterator[RunningBroker]:
    running = RunningBroker(embedded.instance)
    yield running
    running.stop()


@pytest.fixture(scope="session")
def bus(embedded: Embedded, broker: RunningBroker) -> Iterator[Bus]:
    name = f"sb-{uuid.uuid4().hex[:8]}"
    made = embedded.put("Microsoft.ServiceBus/namespaces", name, {"sku": {"name": "Standard", "tier": "Standard"}})
    found = Bus(embedded, made)
    yield found
    found.client.close()
