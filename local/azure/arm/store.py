"""The resources and the ports they were given, in SQLite: what ``context.Store`` promises."""

from __future__ import annotations

import json
import socket
import sqlite3
import uuid
from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any

from local.azure.arm.ids import canonical
from local.azure.context import ArmError, Body, Resource
from local.azure.sqlite import transaction


class LocalStore:
    """Implements ``context.Store``, and the writes that only the ARM endpoint makes.

    ports: offsets that resources may be given.
    """

    def __init__(self, database: sqlite3.Connection, ports: range) -> None:
        self.database, self._ports = database, ports

    def get(self, resource_id: str) -> Resource | None:
        """The resource of an id, whatever its case."""
        row = self.database.execute("SELECT * FROM resources WHERE key = ?", (canonical(resource_id),)).fetchone()
        return _resource(row) if row else None

    def etag(self, resource_id: str) -> str | None:
        """The entity tag of the stored body, changed by every write."""
        row = self.database.execute("SELECT etag FROM resources WHERE key = ?", (canonical(resource_id),)).fetchone()
        return row["etag"] if row else None

    def list(self, type_name: str, scope: str = "/") -> list[Resource]:
        """Every resource of a type under a scope, ordered by id."""
        return self._under(scope, type_name)

    def under(self, scope: str) -> list[Resource]:  # type: ignore[valid-type]  # list is a method here
        """Every resource below a scope, whatever its type, ordered by id."""
        return self._under(scope, None)

    def _under(self, scope: str, type_name: str | None) -> Any:
        prefix = canonical(scope).rstrip("/") + "/"
        query = "SELECT * FROM resources WHERE key >= ? AND key < ?"
        values = [prefix, prefix[:-1] + "0"]  # "0" follows "/" in ASCII
        if type_name is not None:
            query, values = query + " AND type_key = ?", [*values, type_name.lower()]
        return [_resource(row) for row in self.database.execute(query + " ORDER BY key", values)]

    def put(self, resource: Resource) -> str:
        """Keep a resource as it is now; answers its new entity tag."""
        etag = uuid.uuid4().hex
        self.database.execute(
            "INSERT INTO resources (key, id, name, type, type_key, etag, body) VALUES (?,?,?,?,?,?,?) "
            "ON CONFLICT (key) DO UPDATE SET etag = excluded.etag, body = excluded.body",
            (
                canonical(resource.id),
                resource.id,
                resource.name,
                resource.type,
                resource.type.lower(),
                etag,
                json.dumps(resource.body),
            ),
        )
        return etag

    def remove(self, resource_id: str) -> None:
        """Forget a resource; those below it are the caller's business."""
        self.database.execute("DELETE FROM resources WHERE key = ?", (canonical(resource_id),))

    def merge(self, resource_id: str, outputs: Mapping[str, Any]) -> Resource:
        """Merge output properties into the stored body's properties envelope. Raises ArmError 404."""
        resource = self.get(resource_id)
        if resource is None:
            raise ArmError(404, "ResourceNotFound", f"The resource {resource_id} is not there to be updated.")
        body = {**resource.body, "properties": merged(resource.properties, outputs)}
        updated = Resource(resource.id, resource.name, resource.type, body)
        self.put(updated)
        return updated

    def port(self, key: str) -> int:
        """A dynamic port kept for this key as long as it is not released.

        Raises ArmError 409 when all of the instance's dynamic ports are given away.
        """
        key = key.lower()
        row = self.database.execute("SELECT port FROM ports WHERE key = ?", (key,)).fetchone()
        if row:
            return row["port"]
        taken = {row["port"] for row in self.database.execute("SELECT port FROM ports")}
        for port in self._ports:
            if port not in taken and _bindable(port):
                self.database.execute("INSERT INTO ports (key, port) VALUES (?, ?)", (key, port))
                return port
        raise ArmError(
            409,
            "OutOfCapacity",
            f"No loopback port is left for {key}: {self._ports.start} to {self._ports.stop - 1} are taken. "
            "Delete a vault, registry or SQL server.",
        )

    def release(self, key: str) -> None:
        """Give a port back."""
        self.database.execute("DELETE FROM ports WHERE key = ?", (key.lower(),))

    def transaction(self) -> AbstractContextManager[None]:
        """All writes within are kept, or none."""
        return transaction(self.database)


def merged(base: Mapping[str, Any], extra: Mapping[str, Any]) -> Body:
    """A deep merge: objects are merged, None removes, everything else is replaced (RFC 7396)."""
    result = dict(base)
    for key, value in extra.items():
        if value is None:
            result.pop(key, None)
            continue
        old = result.get(key)
        both = isinstance(old, Mapping) and isinstance(value, Mapping)
        result[key] = merged(old, value) if both else value
    return result


def _bindable(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _resource(row: sqlite3.Row) -> Resource:
    return Resource(row["id"], row["name"], row["type"], json.loads(row["body"]))
