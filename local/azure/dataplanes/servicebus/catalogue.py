"""What is deployed, read from the ARM state that another process writes; read anew when that has changed."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from local.azure.arm.store import LocalStore
from local.azure.context import Resource
from local.azure.dataplanes.servicebus import entities
from local.azure.dataplanes.servicebus.entities import Queue, Subscription, Topic

_LOG = logging.getLogger(__name__)


@dataclass
class Namespace:
    """A namespace. id: in lower case. address: where it listens. entities: by path in lower case."""

    id: str
    name: str
    address: str
    entities: dict[str, Topic] = field(default_factory=dict)

    def find(self, path: str) -> Topic | None:
        """The entity of a path, whatever its case."""
        return self.entities.get(path.strip("/").lower())


class Catalogue:
    """The deployed namespaces, over a connection of its own to the ARM state."""

    def __init__(self, database: sqlite3.Connection, store: LocalStore) -> None:
        self._database, self._store = database, store
        self.version = -1
        self._namespaces: dict[str, Namespace] = {}
        self._entities: dict[str, Topic] = {}
        self._subscriptions: dict[str, list[Subscription]] = {}

    def refresh(self) -> bool:
        """Read again what was deployed; whether anything may have changed since the last time."""
        version = self._database.execute("PRAGMA data_version").fetchone()[0]
        if version == self.version:
            return False
        self.version = version
        self._read()
        return True

    @property
    def namespaces(self) -> Mapping[str, Namespace]:
        """Every namespace by its id."""
        return self._namespaces

    def entity(self, key: str) -> Topic | None:
        """The entity of a key."""
        return self._entities.get(key)

    def keys(self) -> Mapping[str, str]:
        """The key of each entity, and when it was made."""
        return {key: each.made for key, each in self._entities.items()}

    def subscriptions(self, topic: Topic) -> list[Subscription]:
        """The subscriptions of a topic."""
        return self._subscriptions.get(topic.key, [])

    def target(self, source: Topic, path: str) -> Topic | None:
        """Where an entity forwards to: a queue or topic of its namespace."""
        namespace = self._namespaces.get(source.namespace)
        return namespace.find(path) if namespace else None

    def _read(self) -> None:
        self._namespaces, self._entities, self._subscriptions = {}, {}, {}
        largest = {}
        for each in self._store.list(entities.NAMESPACE):
            endpoint = str(each.properties.get("serviceBusEndpoint") or "")
            if not endpoint:
                continue  # not brought about yet
            key = each.id.lower()
            address = endpoint.split("://", 1)[1].partition(":")[0]
            self._namespaces[key] = Namespace(key, each.name, address)
            premium = (each.body.get("sku") or {}).get("name") == "Premium"
            largest[key] = entities.LARGE if premium else entities.SMALL
        for each in self._entities_of(largest):
            self._entities[each.key] = each
            self._namespaces[each.namespace].entities[each.path.lower()] = each
            if isinstance(each, Subscription):
                self._subscriptions.setdefault(each.topic, []).append(each)

    def _entities_of(self, largest: Mapping[str, int]) -> Iterator[Topic]:
        rules: dict[str, list[Resource]] = {}
        for each in self._store.list(entities.RULE):
            rules.setdefault(each.id.lower().rsplit("/", 2)[0], []).append(each)
        for kind in (entities.TOPIC, entities.QUEUE, entities.SUBSCRIPTION):
            for each in self._store.list(kind):
                limit = largest.get(entities.namespace_of(each.id))
                if limit is None or not each.properties.get("createdAt"):
                    continue
                try:
                    yield _entity(kind, each, rules.get(each.id.lower(), []), limit)
                except ValueError:
                    _LOG.exception("%s is left out: it can't be read", each.id)


def _entity(kind: str, resource: Resource, rules: list[Resource], largest: int) -> Queue | Topic:
    match kind:
        case entities.TOPIC:
            return entities.topic_of(resource, largest)
        case entities.QUEUE:
            return entities.queue_of(resource, largest)
    return entities.subscription_of(resource, rules, largest)
