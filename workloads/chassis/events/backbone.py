"""A service's part in the event backbone: its relay, and its consumer if it handles events."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workloads.chassis.database import Database
from workloads.chassis.events.catalogue import TOPIC
from workloads.chassis.events.consumer import Consumer, Handler
from workloads.chassis.events.port import Bus
from workloads.chassis.events.relay import Relay


def connect(host: str) -> Bus:
    """The bus of a Service Bus namespace, entered as the service's own identity."""
    # Imported here: the SDK is 15 MB of a process, which a service without events need not pay.
    from workloads.chassis.credential import credential
    from workloads.chassis.events.bus import ServiceBus

    return ServiceBus(host, TOPIC, credential())


class Backbone:
    """Runs while the service runs.

    service: its name, also its subscription's. handlers: by event type; none means that it only publishes.
    """

    def __init__(self, service: str, database: Database, bus: Bus, handlers: Mapping[str, Handler], app: Any) -> None:
        self._bus = bus
        self._parts: list[Relay | Consumer] = [Relay(database, bus)]
        if handlers:
            self._parts.append(Consumer(service, handlers, database, bus, app))

    def start(self) -> None:
        """Begin to publish and to handle."""
        for each in self._parts:
            each.start()

    def close(self) -> None:
        """End both, and the bus's connections."""
        for each in self._parts:
            each.stop()
        self._bus.close()
