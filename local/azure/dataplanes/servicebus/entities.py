"""Queues, topics and subscriptions as they were deployed through ARM, and how clients address them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from local.azure.context import Resource
from local.azure.dataplanes.servicebus.durations import milliseconds
from local.azure.dataplanes.servicebus.filters.rules import Rule, rule_of

NAMESPACE = "Microsoft.ServiceBus/namespaces"
QUEUE = f"{NAMESPACE}/queues"
TOPIC = f"{NAMESPACE}/topics"
SUBSCRIPTION = f"{TOPIC}/subscriptions"
RULE = f"{SUBSCRIPTION}/rules"
DEFAULTS: dict[str, Any] = {
    "lockDuration": "PT1M",
    "maxDeliveryCount": 10,
    "defaultMessageTimeToLive": "P10675199DT2H48M5.4775807S",
    "deadLetteringOnMessageExpiration": False,
    "requiresSession": False,
    "status": "Active",
    "enableBatchedOperations": True,
}
"""What Azure fills in for a queue or subscription."""
DUPLICATE_WINDOW = "PT10M"
SMALL, LARGE = 256 * 1024, 1024 * 1024
"""Bytes of the largest message, Standard and Premium (Service Bus quotas)."""


@dataclass(frozen=True)
class Topic:
    """What messages are sent to and nothing is received from.

    id: of the ARM resource, which its rights hang on. path: as clients address it. made: when, to tell it from one of
    the same name before. ttl, duplicates: ms; None for none. largest: bytes of a message. status: e.g. "Active".
    """

    id: str
    path: str
    namespace: str
    made: str
    ttl: int | None
    duplicates: int | None
    largest: int
    status: str

    @property
    def key(self) -> str:
        """Which entity it is, over all namespaces."""
        return self.id.lower()

    @property
    def sends(self) -> bool:
        """Whether messages may be sent to it."""
        return self.status in ("Active", "ReceiveDisabled")

    @property
    def receives(self) -> bool:
        """Whether messages may be received from it."""
        return self.status in ("Active", "SendDisabled")


@dataclass(frozen=True)
class Queue(Topic):
    """A queue, or a topic's subscription, which is one that only its topic sends to.

    lock: ms. attempts: deliveries before the dead-letter queue. forward, forward_dead: path of where messages go on.
    """

    lock: int
    attempts: int
    sessions: bool
    dead_letter_expired: bool
    forward: str | None
    forward_dead: str | None


@dataclass(frozen=True)
class Subscription(Queue):
    """A subscription. topic: key of its topic. rules: a message comes in when one of them says so.

    dead_letter_failing: whether a message that a rule fails on becomes a dead letter.
    """

    topic: str
    rules: Sequence[Rule]
    dead_letter_failing: bool


def topic_of(resource: Resource, largest: int) -> Topic:
    """The topic of an ARM resource."""
    return Topic(**_common(resource, resource.name, largest))


def queue_of(resource: Resource, largest: int) -> Queue:
    """The queue of an ARM resource."""
    return Queue(**_common(resource, resource.name, largest), **_delivery(resource))


def subscription_of(resource: Resource, rules: Sequence[Resource], largest: int) -> Subscription:
    """The subscription of an ARM resource."""
    topic_id = resource.id.rsplit("/", 2)[0]
    path = f"{topic_id.rsplit('/', 1)[1]}/Subscriptions/{resource.name}"
    return Subscription(
        **_common(resource, path, largest),
        **_delivery(resource),
        topic=topic_id.lower(),
        rules=[rule_of(each.name, each.properties) for each in rules],
        dead_letter_failing=resource.properties.get("deadLetteringOnFilterEvaluationExceptions") is True,
    )


def namespace_of(resource_id: str) -> str:
    """Id of the namespace that a queue, topic, subscription or rule lies in, in lower case."""
    parts = resource_id.lower().split("/")
    return "/".join(parts[: parts.index("namespaces") + 2])


def _common(resource: Resource, path: str, largest: int) -> dict[str, Any]:
    given = resource.properties
    window = given.get("duplicateDetectionHistoryTimeWindow") or DUPLICATE_WINDOW
    kilobytes = given.get("maxMessageSizeInKilobytes")
    return {
        "id": resource.id,
        "path": path,
        "namespace": namespace_of(resource.id),
        "made": str(given.get("createdAt", "")),
        "ttl": milliseconds(given.get("defaultMessageTimeToLive")),
        "duplicates": milliseconds(window) if given.get("requiresDuplicateDetection") else None,
        "largest": int(kilobytes) * 1024 if kilobytes else largest,
        "status": given.get("status") or "Active",
    }


def _delivery(resource: Resource) -> dict[str, Any]:
    given = DEFAULTS | {name: value for name, value in resource.properties.items() if value is not None}
    return {
        "lock": milliseconds(given["lockDuration"]),
        "attempts": int(given["maxDeliveryCount"]),
        "sessions": bool(given["requiresSession"]),
        "dead_letter_expired": bool(given["deadLetteringOnMessageExpiration"]),
        "forward": _path(given.get("forwardTo")),
        "forward_dead": _path(given.get("forwardDeadLetteredMessagesTo")),
    }


def _path(target: str | None) -> str | None:
    """The path within the namespace of a name, or of an address such as sb://host/path."""
    if not target:
        return None
    return target.split("://", 1)[1].partition("/")[2] if "://" in target else target.strip("/")
