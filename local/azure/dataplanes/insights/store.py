"""Telemetry in SQLite: durable before it is answered, bounded in size, readable while it is written."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local.azure.sqlite import transaction

LARGEST = 64 * 1024 * 1024
"""Bytes that the telemetry of an instance may take; the oldest goes first."""
_CHECK_EVERY = 200
_NAMES = ("component", "kind", "time", "operation", "parent", "item", "role", "body")
_SCHEMA = """
CREATE TABLE IF NOT EXISTS telemetry (
    number INTEGER PRIMARY KEY AUTOINCREMENT, received REAL NOT NULL, component TEXT NOT NULL, kind TEXT NOT NULL,
    time TEXT NOT NULL, operation TEXT NOT NULL, parent TEXT NOT NULL, item TEXT NOT NULL, role TEXT NOT NULL,
    body TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS telemetry_operation ON telemetry (operation);
"""


@dataclass(frozen=True)
class Item:
    """One telemetry item. component: ARM id; kind: e.g. "Request"; time: ISO 8601, as sent.

    operation: id of the trace; parent: id of the item it happened in; item: its own id, where its kind has one;
    role: the service's name; body: the kind's own fields (baseData).
    """

    component: str
    kind: str
    time: str
    operation: str
    parent: str
    item: str
    role: str
    body: dict[str, Any]


def database(folder: Path) -> Path:
    """Where the telemetry of an instance's ``azure`` folder lies."""
    return folder / "insights.db"


class TelemetryStore:
    """The writer's side."""

    def __init__(self, folder: Path, largest: int = LARGEST) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        path = database(folder)
        self._database, self._largest, self._since = sqlite3.connect(path, isolation_level=None), largest, 0
        path.chmod(0o600)
        self._database.execute("PRAGMA auto_vacuum = INCREMENTAL")
        self._database.execute("PRAGMA journal_mode = WAL")
        self._database.execute("PRAGMA synchronous = FULL")
        self._database.executescript(_SCHEMA)

    def add(self, items: Iterable[Item]) -> None:
        """Keep items, all or none."""
        now = time.time()
        rows = [
            (now, i.component, i.kind, i.time, i.operation, i.parent, i.item, i.role, json.dumps(i.body)) for i in items
        ]
        with transaction(self._database):
            self._database.executemany(
                "INSERT INTO telemetry (received, component, kind, time, operation, parent, item, role, body) "
                "VALUES (?,?,?,?,?,?,?,?,?)",
                rows,
            )
        self._since += len(rows)
        if self._since >= _CHECK_EVERY:
            self.prune()

    def prune(self) -> None:
        """Forget the oldest tenth for as long as there is too much."""
        self._since = 0
        while self._size() > self._largest:
            first, last = self._database.execute("SELECT min(number), max(number) FROM telemetry").fetchone()
            if first is None:
                return
            self._database.execute("DELETE FROM telemetry WHERE number <= ?", (first + (last - first) // 10,))
            self._database.execute("PRAGMA incremental_vacuum").fetchall()

    def _size(self) -> int:
        pages, free, size = (
            self._database.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("page_count", "freelist_count", "page_size")
        )
        return (pages - free) * size

    def close(self) -> None:
        """Close the database."""
        self._database.close()


class TelemetryReader:
    """The reader's side: sees what is committed, writes nothing. Raises FileNotFoundError when nothing ever came."""

    def __init__(self, folder: Path) -> None:
        path = database(folder)
        if not path.exists():
            raise FileNotFoundError(path)
        self._database = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)

    def operations(self, last: int) -> list[str]:
        """Ids of the latest operations that hold a request or dependency, oldest first."""
        rows = self._database.execute(
            "SELECT operation FROM telemetry WHERE operation != '' AND kind IN ('Request', 'RemoteDependency') "
            "GROUP BY operation ORDER BY max(number) DESC LIMIT ?",
            (last,),
        )
        return [operation for (operation,) in rows][::-1]

    def items(self, operation: str) -> list[Item]:
        """What belongs to an operation, whose id may be given by its beginning, in order of time."""
        pattern = "".join(f"\\{char}" if char in "%_\\" else char for char in operation) + "%"
        rows = self._database.execute(
            "SELECT component, kind, time, operation, parent, item, role, body FROM telemetry "
            "WHERE operation LIKE ? ESCAPE '\\' ORDER BY time, number",
            (pattern,),
        )
        return [Item(**{**dict(zip(_NAMES, row, strict=True)), "body": json.loads(row[7])}) for row in rows]

    def counts(self) -> dict[str, int]:
        """How many items of each kind there are."""
        return dict(self._database.execute("SELECT kind, count(*) FROM telemetry GROUP BY kind ORDER BY kind"))

    def close(self) -> None:
        """Close the database."""
        self._database.close()
