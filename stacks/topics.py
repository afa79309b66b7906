"""Topics: what the services publish and handle, as Service Bus entities. The declaration is services.py."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from components.message_entities import FilterArgs, QueueArgs, SubscriptionArgs, TopicArgs
from stacks.services import Service

EVENTS = "events"
"""The one topic of all events: a subscription a service, which takes the types that it handles."""
UPLOADS = "uploads"
"""Queue that tells of every file that a user has uploaded."""


def topics(services: Sequence[Service]) -> Mapping[str, TopicArgs]:
    """The topic, with a subscription of its own name for each service that handles events.

    Rights are given as the services' identities are made. Events carry their type as a property, "type".
    """
    return {
        EVENTS: TopicArgs(
            subscriptions={
                each.name: SubscriptionArgs(filters={"handled": FilterArgs(sql=_any_of(each.handles))})
                for each in services
                if each.handles
            }
        )
    }


def queues() -> Mapping[str, QueueArgs]:
    """The queues of the platform's own events."""
    # Event Grid delivers at least once, under an id of its own each time: there is nothing to detect duplicates by.
    return {UPLOADS: QueueArgs(duplicates=None)}


def _any_of(types: Sequence[str]) -> str:
    listed = ", ".join("'" + each.replace("'", "''") + "'" for each in sorted(types))
    return f"type IN ({listed})"
