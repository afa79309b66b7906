"""Installations and what was pushed to them, in SQLite: durable before it is answered, readable while it is written."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local.azure.sqlite import transaction

_KEPT = 10_000
"""Deliveries; the oldest go first."""
_SCHEMA = """
CREATE TABLE IF NOT EXISTS installation (
    hub TEXT NOT NULL, name TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (hub, name)
) STRICT;
CREATE TABLE IF NOT EXISTS delivery (
    number INTEGER PRIMARY KEY AUTOINCREMENT, hub TEXT NOT NULL, message TEXT NOT NULL, at REAL NOT NULL,
    installation TEXT NOT NULL, platform TEXT NOT NULL, channel TEXT NOT NULL, headers TEXT NOT NULL,
    body TEXT NOT NULL, outcome TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS delivery_installation ON delivery (hub, installation);
"""


@dataclass(frozen=True)
class Pushed:
    """What a platform's notification service would have been given for one device.

    message: the notification's id at the hub. at: seconds since 1970. channel: the device's address there. outcome:
    "Success", or why nothing would have arrived, in the words of Azure's per-message telemetry.
    """

    number: int
    hub: str
    message: str
    at: float
    installation: str
    platform: str
    channel: Any
    headers: dict[str, str]
    body: dict[str, Any]
    outcome: str


def database(folder: Path) -> Path:
    """Where the hubs of an instance's ``azure`` folder lie."""
    return folder / "notification-hubs.db"


class HubStore:
    """Every hub's installations and deliveries. ``hub`` is the hub's ARM id in lower case."""

    def __init__(self, folder: Path) -> None:
        path = database(folder)
        self._database = sqlite3.connect(path, isolation_level=None, timeout=10)
        path.chmod(0o600)
        self._database.execute("PRAGMA journal_mode = WAL")
        self._database.execute("PRAGMA synchronous = FULL")
        self._database.execute("PRAGMA secure_delete = ON")  # a device's address is personal data
        self._database.executescript(_SCHEMA)

    def close(self) -> None:
        """Close the database."""
        self._database.close()

    def put(self, hub: str, name: str, installation: Mapping[str, Any]) -> None:
        """Keep an installation, in the place of the one of that name."""
        told = (hub, name, json.dumps(installation))
        self._database.execute("INSERT OR REPLACE INTO installation (hub, name, body) VALUES (?,?,?)", told)

    def get(self, hub: str, name: str) -> dict[str, Any] | None:
        """An installation."""
        query = "SELECT body FROM installation WHERE hub = ? AND name = ?"
        row = self._database.execute(query, (hub, name)).fetchone()
        return json.loads(row[0]) if row else None

    def every(self, hub: str) -> list[dict[str, Any]]:
        """The installations of a hub."""
        rows = self._database.execute("SELECT body FROM installation WHERE hub = ? ORDER BY name", (hub,))
        return [json.loads(body) for (body,) in rows]

    def find(self, name: str) -> list[tuple[str, dict[str, Any]]]:
        """The installations of a name in all hubs, each with its hub."""
        rows = self._database.execute("SELECT hub, body FROM installation WHERE name = ?", (name,))
        return [(hub, json.loads(body)) for hub, body in rows]

    def delete(self, hub: str, name: str) -> None:
        """Forget an installation, and what was pushed to it."""
        with transaction(self._database):
            self._database.execute("DELETE FROM installation WHERE hub = ? AND name = ?", (hub, name))
            self._database.execute("DELETE FROM delivery WHERE hub = ? AND installation = ?", (hub, name))

    def forget_until(self, hub: str, moment: str) -> None:
        """Forget the installations of a hub that have expired by then, and what was pushed to them."""
        query = "SELECT name FROM installation WHERE hub = ? AND json_extract(body, '$.expirationTime') <= ?"
        for (name,) in self._database.execute(query, (hub, moment)).fetchall():
            self.delete(hub, name)

    def forget(self, hub: str) -> None:
        """Forget a hub."""
        with transaction(self._database):
            self._database.execute("DELETE FROM installation WHERE hub = ?", (hub,))
            self._database.execute("DELETE FROM delivery WHERE hub = ?", (hub,))

    def push(
        self, hub: str, message: str, headers: Mapping[str, str], body: str,
        targets: Sequence[tuple[Mapping[str, Any], str]],
    ) -> None:  # fmt: skip
        """Record a notification for each of its targets: an installation, and what became of it."""
        given, told = (hub, message, time.time()), json.dumps(dict(headers))
        rows = [
            (*given, each["installationId"], each["platform"], json.dumps(each["pushChannel"]), told, body, outcome)
            for each, outcome in targets
        ]
        with transaction(self._database):
            self._database.executemany(
                "INSERT INTO delivery (hub, message, at, installation, platform, channel, headers, body, outcome) "
                "VALUES (?,?,?,?,?,?,?,?,?)",
                rows,
            )
            self._database.execute(
                "DELETE FROM delivery WHERE number <= (SELECT max(number) FROM delivery) - ?", (_KEPT,)
            )

    def pushed(self, last: int = _KEPT) -> list[Pushed]:
        """The latest deliveries of all hubs, oldest first."""
        rows = self._database.execute(
            "SELECT number, hub, message, at, installation, platform, channel, headers, body, outcome FROM delivery "
            "ORDER BY number DESC LIMIT ?",
            (last,),
        ).fetchall()
        return [
            Pushed(
                number, hub, message, at, name, platform,
                json.loads(channel), json.loads(headers), json.loads(body), outcome,
            )
            for number, hub, message, at, name, platform, channel, headers, body, outcome in reversed(rows)
        ]  # fmt: skip
