"""Long-running operations: their records outlive the daemon (ARM RPC, "asynchronous operations")."""

from __future__ import annotations

import datetime
import json
import sqlite3
import uuid
from collections.abc import Mapping
from dataclasses import dataclass

from local.azure.context import ArmError, Body


@dataclass(frozen=True)
class Operation:
    """One operation. kind: "put" or "delete". resource: its id. previous: the body before, None for a creation."""

    id: str
    kind: str
    resource: str
    status: str
    started: str
    ended: str | None
    error: Body | None
    previous: Body | None

    def answer(self, path: str) -> Body:
        """The body that a poll of ``Azure-AsyncOperation`` gets."""
        body: Body = {"id": path, "name": self.id, "status": self.status, "startTime": self.started}
        if self.ended:
            body["endTime"] = self.ended
        if self.error:
            body["error"] = self.error
        return body


class Operations:
    """The operations of the database."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database

    def start(self, kind: str, resource: str, previous: Mapping[str, object] | None) -> Operation:
        """Note that an operation began."""
        identity, now = str(uuid.uuid4()), timestamp()
        self._database.execute(
            "INSERT INTO operations (id, kind, resource, status, started, previous) VALUES (?,?,?,?,?,?)",
            (identity, kind, resource, "InProgress", now, json.dumps(previous) if previous is not None else None),
        )
        return Operation(identity, kind, resource, "InProgress", now, None, None, None)

    def finish(self, identity: str, failure: ArmError | None = None) -> None:
        """Note how it ended."""
        error = json.dumps(failure.body()["error"]) if failure else None
        self._database.execute(
            "UPDATE operations SET status = ?, ended = ?, error = ? WHERE id = ?",
            ("Failed" if failure else "Succeeded", timestamp(), error, identity),
        )

    def get(self, identity: str) -> Operation | None:
        """An operation by its id."""
        row = self._database.execute("SELECT * FROM operations WHERE id = ?", (identity,)).fetchone()
        return _operation(row) if row else None

    def unfinished(self) -> list[Operation]:
        """What a stopped daemon left undone, oldest first."""
        rows = self._database.execute("SELECT * FROM operations WHERE status = 'InProgress' ORDER BY started")
        return [_operation(row) for row in rows]

    def forget_old(self) -> None:
        """Drop records that ended a day ago."""
        limit = datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=1)
        self._database.execute("DELETE FROM operations WHERE ended < ?", (limit.isoformat(),))


def timestamp() -> str:
    """Now, as ARM writes it."""
    return datetime.datetime.now(datetime.UTC).isoformat()


def _operation(row: sqlite3.Row) -> Operation:
    error, previous = (json.loads(row[name]) if row[name] else None for name in ("error", "previous"))
    return Operation(
        row["id"], row["kind"], row["resource"], row["status"], row["started"], row["ended"], error, previous
    )
