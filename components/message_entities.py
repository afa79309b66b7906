"""Message entities: what topics, subscriptions and queues are declared as. Limits are those of Service Bus.

Source of the limits: learn.microsoft.com/azure/service-bus-messaging/service-bus-quotas.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pulumi
from pulumi_azure_native import servicebus


@dataclass(frozen=True, kw_only=True)
class FilterArgs:
    """Which messages a subscription takes; exactly one of the two.

    properties: application properties that must all be equal (fast). sql: an expression, e.g. "amount > 100".
    """

    properties: Mapping[str, str] | None = None
    sql: str | None = None

    def __post_init__(self) -> None:
        if (self.properties is None) == (self.sql is None) or not (self.properties or self.sql):
            raise ValueError(f"A filter has either properties or sql, not empty; given are {self}. Drop one of them.")


@dataclass(frozen=True, kw_only=True)
class DeliveryArgs:
    """How messages are handed to receivers, and when they are given up.

    lock: how long one receiver holds a message, at most 5 minutes. attempts: deliveries before it is dead-lettered,
    1 to 2000. time_to_live: until it is dead-lettered unread. sessions: messages of one session id are handed to one
    receiver at a time and in order; can't be changed later. receivers: principal ids that may receive, by name.
    """

    lock: timedelta = timedelta(minutes=1)
    attempts: int = 10
    time_to_live: timedelta = timedelta(days=14)
    sessions: bool = False
    receivers: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        _within("lock", self.lock, timedelta(seconds=5), timedelta(minutes=5))
        _within("attempts", self.attempts, 1, 2000)
        _within("time_to_live", self.time_to_live, timedelta(seconds=1), timedelta(days=3650))


@dataclass(frozen=True, kw_only=True)
class SubscriptionArgs(DeliveryArgs):
    """A subscription of a topic. filters: by name, a message is taken that passes any; none takes every message."""

    filters: Mapping[str, FilterArgs] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class TopicArgs:
    """A topic.

    subscriptions: by name. senders: principal ids that may send, by name. size_mb: storage, 1024 to 5120 (80 GB with
    Premium). duplicates: how far back message ids are remembered, 20 seconds to 7 days; None takes duplicates, and
    which of the two can't be changed later.
    """

    subscriptions: Mapping[str, SubscriptionArgs]
    senders: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)
    size_mb: int = 1024
    duplicates: timedelta | None = timedelta(minutes=10)
    time_to_live: timedelta = timedelta(days=14)

    def __post_init__(self) -> None:
        _remembers(self.duplicates)
        _within("size_mb", self.size_mb, 1024, 81920)
        _within("time_to_live", self.time_to_live, timedelta(seconds=1), timedelta(days=3650))


@dataclass(frozen=True, kw_only=True)
class QueueArgs(DeliveryArgs):
    """A queue. senders, size_mb and duplicates as for a topic."""

    senders: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)
    size_mb: int = 1024
    duplicates: timedelta | None = timedelta(minutes=10)

    def __post_init__(self) -> None:
        super().__post_init__()
        _remembers(self.duplicates)
        _within("size_mb", self.size_mb, 1024, 81920)


def rule_inputs(wanted: FilterArgs) -> dict[str, Any]:
    """The part of a rule that says which messages pass."""
    if wanted.sql is not None:
        return {
            "filter_type": servicebus.FilterType.SQL_FILTER,
            "sql_filter": servicebus.SqlFilterArgs(sql_expression=wanted.sql),
        }
    return {
        "filter_type": servicebus.FilterType.CORRELATION_FILTER,
        "correlation_filter": servicebus.CorrelationFilterArgs(properties=dict(wanted.properties or {})),
    }


def _remembers(duplicates: timedelta | None) -> None:
    if duplicates is not None:
        _within("duplicates", duplicates, timedelta(seconds=20), timedelta(days=7))


def _within(name: str, value: Any, least: Any, most: Any) -> None:
    if not least <= value <= most:
        raise ValueError(f"{name}: {value} is not allowed; allowed is {least} to {most}.")
