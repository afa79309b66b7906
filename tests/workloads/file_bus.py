"""A bus in a file, behind the port: it outlives a process that is killed. For fault tests."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from workloads.chassis.events.envelope import Event
from workloads.chassis.events.port import DeadLetters

_LOCK_SECONDS = 0.5


class FileBus:
    """One topic, whose subscriptions take every event."""

    def __init__(self, file: Path, subscriptions: Collection[str]) -> None:
        self._file, self._subscriptions = file, subscriptions
        with self._open() as db:
            db.execute(
                "CREATE TABLE IF NOT EXISTS message (n INTEGER PRIMARY KEY AUTOINCREMENT, subscription TEXT, body TEXT,"
                " attempt INTEGER DEFAULT 0, locked REAL DEFAULT 0)"
            )

    def _open(self) -> sqlite3.Connection:
        return sqlite3.connect(self._file, timeout=10)

    def publish(self, events: Sequence[Event]) -> None:
        with self._open() as db:
            for each in events:
                for name in self._subscriptions:
                    db.execute("INSERT INTO message (subscription, body) VALUES (?, ?)", (name, each.encode()))

    def receiver(self, subscription: str) -> FileReceiver:
        return FileReceiver(self, subscription)

    @property
    def dead_letters(self) -> DeadLetters:
        raise NotImplementedError

    def close(self) -> None:
        """Nothing to close."""

    def messages(self) -> int:
        """How many wait or are locked."""
        with self._open() as db:
            return db.execute("SELECT count(*) FROM message").fetchone()[0]


@dataclass
class FileReceiver:
    """Receives from one subscription."""

    bus: FileBus
    subscription: str

    def receive(self, most: int, wait: float) -> Sequence[FileDelivery]:
        with self.bus._open() as db:
            now = time.time()
            found = db.execute(
                "SELECT n, body, attempt FROM message WHERE subscription = ? AND locked < ? ORDER BY n LIMIT 1",
                (self.subscription, now),
            ).fetchone()
            if found:
                db.execute(
                    "UPDATE message SET locked = ?, attempt = attempt + 1 WHERE n = ?", (now + _LOCK_SECONDS, found[0])
                )
        if found:
            return [FileDelivery(self.bus, found[0], found[1], found[2] + 1)]
        time.sleep(0.02)
        return []

    def close(self) -> None:
        """Nothing to close."""


@dataclass
class FileDelivery:
    """A message in hand."""

    bus: FileBus
    number: int
    body: str
    attempt: int

    def complete(self) -> None:
        with self.bus._open() as db:
            db.execute("DELETE FROM message WHERE n = ?", (self.number,))

    def abandon(self) -> None:
        with self.bus._open() as db:
            db.execute("UPDATE message SET locked = 0 WHERE n = ?", (self.number,))

    def dead_letter(self, reason: str, description: str) -> None:
        raise AssertionError(f"given up: {reason}: {description}")
