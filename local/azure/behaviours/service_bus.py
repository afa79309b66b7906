"""Microsoft.ServiceBus: a namespace listens on an address of its own; the broker finds its entities in ARM's state."""

from __future__ import annotations

import asyncio
import datetime
from typing import Any, ClassVar

from local.azure.arm.shapes import UNKNOWN
from local.azure.context import ArmError, Behaviour, Body, Resource
from local.azure.dataplanes.servicebus import entities
from local.azure.dataplanes.servicebus.daemon import PORT, listens
from local.azure.dataplanes.servicebus.durations import NEVER_DAYS, milliseconds
from local.azure.dataplanes.servicebus.filters.rules import DEFAULT, rule_of
from local.azure.dataplanes.servicebus.filters.values import FilterError

_LISTEN_SECONDS = 10.0
_LONGEST_LOCK = 5 * 60 * 1000
_DURATIONS = ("lockDuration", "defaultMessageTimeToLive", "duplicateDetectionHistoryTimeWindow", "autoDeleteOnIdle")
_NOT_DONE = {
    "enablePartitioning": True,
    "enableExpress": True,
    "isClientAffine": True,
}
"""Properties that the broker does not do, and the value that asks for it."""


class Namespace(Behaviour):
    """A namespace (REST API 2024-01-01)."""

    type = entities.NAMESPACE

    async def put(self, resource: Resource, previous: Resource | None) -> Body:
        """Give it an address, and wait for the broker to listen there."""
        address = _address(self, resource)
        outputs = {
            "serviceBusEndpoint": f"https://{address}:443/",
            "metricId": f"{resource.id.split('/')[2]}:{resource.name.lower()}",
            "status": "Active",
            **_times(previous),
        }
        # The broker reads what is stored, so this comes first.
        self.azure.store.merge(resource.id, outputs)
        await self._until_listening(address)
        self.azure.endpoints[f"Service Bus {resource.name}"] = f"amqps://{address}:{PORT}"
        return outputs

    async def restore(self, resource: Resource) -> None:
        """Tell of it again."""
        self.azure.endpoints[f"Service Bus {resource.name}"] = f"amqps://{_address(self, resource)}:{PORT}"

    async def delete(self, resource: Resource) -> None:
        """Give its address back; the broker drops what it held."""
        self.azure.store.release(resource.id)
        self.azure.endpoints.pop(f"Service Bus {resource.name}", "")

    async def _until_listening(self, address: str) -> None:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + _LISTEN_SECONDS
        while not await asyncio.to_thread(listens, address):
            if loop.time() > deadline:
                raise ArmError(
                    503,
                    "ServiceUnavailable",
                    f"The Service Bus broker does not listen on {address}:{PORT}. Is the daemon servicebus running? "
                    "Its log says why not.",
                )
            await asyncio.sleep(0.05)


def _address(behaviour: Behaviour, resource: Resource) -> str:
    """The loopback address whose last octet is the offset of a port that is kept for the namespace."""
    instance = behaviour.azure.instance
    return instance.loopback(behaviour.azure.store.port(resource.id) - instance.port_base)


class _Entity(Behaviour):
    """What queues, topics and subscriptions have in common. defaults: what Azure fills in."""

    defaults: ClassVar[Body]

    async def check(self, resource: Resource, previous: Resource | None) -> None:
        """Refuse what the broker does not do, and malformed durations."""
        given = resource.properties
        for name, value in _NOT_DONE.items():
            if given.get(name) is value:
                raise _refused(f"{name} {value} is not done here: leave it out.", name)
        for name in _DURATIONS:
            if given.get(name) not in (None, UNKNOWN):
                self._check_duration(name, str(given[name]))

    def _check_duration(self, name: str, text: str) -> None:
        try:
            length = milliseconds(text)
        except ValueError as error:
            raise _refused(f"{name}: {error}.", name) from None
        if name == "lockDuration" and (length is None or length > _LONGEST_LOCK):
            raise _refused(f"lockDuration {text!r} is not allowed; allowed is up to PT5M.", name)
        if name == "autoDeleteOnIdle" and length is not None:
            raise _refused(f"autoDeleteOnIdle {text!r} is not done here; allowed is P{NEVER_DAYS}D (never).", name)

    async def put(self, resource: Resource, previous: Resource | None) -> Body:
        """Fill in what was left open."""
        given = resource.properties
        defaults = {name: value for name, value in self.defaults.items() if given.get(name) is None}
        return {**defaults, **_times(previous)}


class Queue(_Entity):
    """A queue."""

    type = entities.QUEUE
    defaults: ClassVar[Body] = entities.DEFAULTS | {"requiresDuplicateDetection": False, "maxSizeInMegabytes": 1024}


class Topic(_Entity):
    """A topic."""

    type = entities.TOPIC
    defaults: ClassVar[Body] = {
        "defaultMessageTimeToLive": entities.DEFAULTS["defaultMessageTimeToLive"],
        "requiresDuplicateDetection": False,
        "maxSizeInMegabytes": 1024,
        "status": "Active",
        "enableBatchedOperations": True,
        "supportOrdering": True,
    }


class Subscription(_Entity):
    """A subscription, with the rule $Default that takes every message until it is changed or removed."""

    type = entities.SUBSCRIPTION
    defaults: ClassVar[Body] = entities.DEFAULTS | {"deadLetteringOnFilterEvaluationExceptions": True}

    async def put(self, resource: Resource, previous: Resource | None) -> Body:
        """Bring the default rule along."""
        if previous is None:
            rule = f"{resource.id}/rules/$Default"
            self.azure.store.put(Resource(rule, "$Default", entities.RULE, {"properties": dict(DEFAULT)}))
        return await super().put(resource, previous)


class Rule(Behaviour):
    """A subscription's rule."""

    type = entities.RULE

    async def check(self, resource: Resource, previous: Resource | None) -> None:
        """Refuse a filter that can't be read, and actions."""
        if UNKNOWN in str(resource.properties):
            return
        try:
            rule_of(resource.name, resource.properties)
        except FilterError as error:
            raise _refused(f"Rule {resource.name}: {error}.", "filter") from None

    async def put(self, resource: Resource, previous: Resource | None) -> Body:
        """Say which kind of filter it is."""
        correlation = bool(resource.properties.get("correlationFilter"))
        kind = resource.properties.get("filterType") or ("CorrelationFilter" if correlation else "SqlFilter")
        return {"filterType": kind}


def _times(previous: Resource | None) -> dict[str, Any]:
    now = datetime.datetime.now(datetime.UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    made = previous.properties.get("createdAt") if previous else None
    return {"createdAt": made or now, "updatedAt": now}


def _refused(message: str, name: str) -> ArmError:
    target = f"properties.{name}"
    detail = {"code": "BadRequest", "message": message, "target": target}
    return ArmError(400, "BadRequest", message, target, [detail])
