"""The embedded Azure's broker with the topic of events, and an identity that may use it."""

from __future__ import annotations

import os
import uuid
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

from local.instance import TENANT_ID
from tests.bench.backend import process
from tests.bench.broker import broker_alone
from tests.local.azure.dataplanes.conftest import Embedded, Identity
from tests.local.azure.dataplanes.servicebus.conftest import OWNER, RunningBroker
from workloads.chassis.events.bus import ServiceBus
from workloads.chassis.events.catalogue import TOPIC
from workloads.chassis.scopes import Scope

AUDIENCE = "api://tributary"
_NAMESPACES = "Microsoft.ServiceBus/namespaces"


@dataclass(frozen=True)
class Backbone:
    """A running broker. host: of the namespace. services: whom all services sign in as."""

    embedded: Embedded
    broker: RunningBroker
    host: str
    services: Identity

    @property
    def environment(self) -> dict[str, str]:
        """What a service is told to use it, and to know the embedded Azure's tokens."""
        instance, principal = self.embedded.instance, self.services.principal
        return {
            "SERVICE_BUS_HOST": self.host,
            "SSL_CERT_FILE": str(instance.ca_bundle),
            "TOKEN_ISSUER": f"https://{instance.arm}/{TENANT_ID}/v2.0",
            "TOKEN_AUDIENCE": AUDIENCE,
            "ACTING_SERVICES": f'["{principal.object_id}"]',
            process.AUTHORITY: f"https://{instance.arm}",
            process.TENANT: TENANT_ID,
            process.CLIENT: str(principal.client_id),
            process.SECRET: self.services.secret,
        }

    def bus(self) -> ServiceBus:
        """The chassis' event bus, entered as the services."""
        return ServiceBus(self.host, TOPIC, self.services.credential)

    def token(self, person: str) -> str:
        """Somebody's token that grants everything, whoever it is."""
        principal = self.embedded.identity().principal
        return self.embedded.daemon.directory.issue(principal, AUDIENCE, {"scp": " ".join(Scope)})


@contextmanager
def running(subscriptions: Mapping[str, Collection[str]], lock: str = "PT1M") -> Iterator[Backbone]:
    """A broker on an embedded Azure of its own. subscriptions: the types of events that each takes, by name.

    lock: how long a message is one receiver's (ISO 8601).
    """
    with broker_alone() as (embedded, broker):
        os.environ["SSL_CERT_FILE"] = str(embedded.instance.ca_bundle)
        yield _deployed(embedded, broker, subscriptions, lock)


def _deployed(
    embedded: Embedded, broker: RunningBroker, subscriptions: Mapping[str, Collection[str]], lock: str
) -> Backbone:
    namespace = embedded.put(_NAMESPACES, f"sb-{uuid.uuid4().hex[:8]}", {"sku": {"name": "Standard"}})
    root = f"{namespace.name}/{TOPIC}"
    embedded.put(f"{_NAMESPACES}/topics", root, {"properties": {"requiresDuplicateDetection": True}})
    for name, types in subscriptions.items():
        embedded.put(f"{_NAMESPACES}/topics/subscriptions", f"{root}/{name}", {"properties": {"lockDuration": lock}})
        listed = ", ".join(f"'{each}'" for each in sorted(types))
        rule = {"filterType": "SqlFilter", "sqlFilter": {"sqlExpression": f"type IN ({listed})"}}
        path = f"{root}/{name}/$Default"
        embedded.put(f"{_NAMESPACES}/topics/subscriptions/rules", path, {"properties": rule})
    host = urlsplit(str(namespace.properties["serviceBusEndpoint"])).hostname or ""
    return Backbone(embedded, broker, host, embedded.identity((OWNER, namespace.id)))
