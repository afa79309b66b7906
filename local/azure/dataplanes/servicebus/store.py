"""Messages in SQLite: everything that an acknowledgement promises is committed before it is given."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from proton import symbol

from local.azure.dataplanes.servicebus.amqp_values import decode, encode
from local.azure.dataplanes.servicebus.message import Message, parse

ACTIVE, DEFERRED, SCHEDULED = 0, 1, 2
"""States of a message, in the words of x-opt-message-state."""
_COLUMNS = (
    "entity", "sequence", "dead", "state", "session", "message_id", "enqueued", "due", "expires", "deliveries",
    "source", "durable", "priority", "ttl", "annotations", "properties", "application", "body",
)  # fmt: skip
_READ = f"SELECT number, lock, locked_until, {', '.join(_COLUMNS)} FROM messages"  # noqa: S608  # our own names
_SCHEMA = """
CREATE TABLE IF NOT EXISTS entities (
    number INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, made TEXT NOT NULL, sequence INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE TABLE IF NOT EXISTS messages (
    number INTEGER PRIMARY KEY, entity INTEGER NOT NULL, sequence INTEGER NOT NULL,
    dead INTEGER NOT NULL,           -- whether it lies in the dead-letter queue
    state INTEGER NOT NULL, session TEXT, message_id TEXT,
    enqueued INTEGER NOT NULL, due INTEGER, expires INTEGER,  -- ms since 1970; due: when a scheduled one arrives
    deliveries INTEGER NOT NULL,     -- how often it was delivered in vain
    lock TEXT, locked_until INTEGER, -- token; a session's messages have no end of their own
    source TEXT,                     -- where it became a dead letter, after it was forwarded from there
    durable INTEGER NOT NULL, priority INTEGER, ttl INTEGER,
    annotations BLOB NOT NULL, properties BLOB NOT NULL, application BLOB NOT NULL, body BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX IF NOT EXISTS by_sequence ON messages (entity, sequence);
CREATE INDEX IF NOT EXISTS available ON messages (entity, dead, sequence) WHERE state = 0 AND lock IS NULL;
CREATE INDEX IF NOT EXISTS available_in_session ON messages (entity, session, sequence)
    WHERE state = 0 AND lock IS NULL AND dead = 0 AND session IS NOT NULL;
CREATE UNIQUE INDEX IF NOT EXISTS by_lock ON messages (lock) WHERE lock IS NOT NULL;
CREATE INDEX IF NOT EXISTS by_lock_end ON messages (locked_until) WHERE locked_until IS NOT NULL;
CREATE INDEX IF NOT EXISTS by_due ON messages (due) WHERE state = 2;
CREATE INDEX IF NOT EXISTS by_expiry ON messages (expires)
    WHERE expires IS NOT NULL AND state = 0 AND dead = 0 AND lock IS NULL;
CREATE TABLE IF NOT EXISTS seen (
    entity INTEGER NOT NULL, message_id TEXT NOT NULL, until INTEGER NOT NULL, PRIMARY KEY (entity, message_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS seen_until ON seen (until);
CREATE TABLE IF NOT EXISTS sessions (
    entity INTEGER NOT NULL, session TEXT NOT NULL, state BLOB, updated INTEGER NOT NULL, PRIMARY KEY (entity, session)
) STRICT, WITHOUT ROWID;
"""


@dataclass(frozen=True)
class Stored:
    """A message where it lies. Times are in ms since 1970; ``deliveries`` counts those in vain."""

    entity: int
    sequence: int
    enqueued: int
    message: Message
    number: int = 0
    dead: bool = False
    state: int = ACTIVE
    session: str | None = None
    due: int | None = None
    expires: int | None = None
    deliveries: int = 0
    source: str | None = None
    lock: str | None = None
    locked_until: int | None = None

    def whole(self) -> Message:
        """The message with its properties read, which the store leaves as bytes."""
        return replace(parse(self.message.encoded(0, {})), ttl=self.message.ttl)


class MessageStore:
    """The broker's database. Writes stay in one open transaction until ``commit``."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.touch(mode=0o600)
        self._database = sqlite3.connect(path, isolation_level=None)
        self._database.row_factory = sqlite3.Row
        self._database.execute("PRAGMA journal_mode = WAL")
        self._database.execute("PRAGMA synchronous = FULL")
        self._database.executescript(_SCHEMA)
        self._numbers: dict[str, int] = {}

    def commit(self) -> None:
        """Make durable what was written since the last time."""
        if self._database.in_transaction:
            self._database.execute("COMMIT")

    def close(self) -> None:
        """Commit and close."""
        self.commit()
        self._database.close()

    def _write(self, statement: str, values: Sequence[Any] = ()) -> sqlite3.Cursor:
        if not self._database.in_transaction:
            self._database.execute("BEGIN IMMEDIATE")
        return self._database.execute(statement, values)

    # Entities

    def keep_entities(self, keys: Mapping[str, str]) -> list[str]:
        """Forget what entities held that are gone, or of whose name there is a new one; answers their keys."""
        gone = []
        for row in self._database.execute("SELECT number, key, made FROM entities").fetchall():
            if keys.get(row["key"]) == row["made"]:
                continue
            for table in ("messages", "seen", "sessions"):
                self._write(f"DELETE FROM {table} WHERE entity = ?", (row["number"],))  # noqa: S608  # literals
            self._write("DELETE FROM entities WHERE number = ?", (row["number"],))
            self._numbers.pop(row["key"], None)
            gone.append(row["key"])
        return gone

    def entity(self, key: str, made: str) -> int:
        """The number of an entity, given to it on first use."""
        if key not in self._numbers:
            found = self._database.execute("SELECT number FROM entities WHERE key = ?", (key,)).fetchone()
            row = (
                found
                or self._write(
                    "INSERT INTO entities (key, made) VALUES (?, ?) RETURNING number", (key, made)
                ).fetchone()
            )
            self._numbers[key] = row["number"]
        return self._numbers[key]

    def key(self, entity: int) -> str | None:
        """The key of a number."""
        row = self._database.execute("SELECT key FROM entities WHERE number = ?", (entity,)).fetchone()
        return row["key"] if row else None

    # Messages

    def next_sequence(self, entity: int) -> int:
        """A sequence number that the entity has not given before."""
        statement = "UPDATE entities SET sequence = sequence + 1 WHERE number = ? RETURNING sequence"
        return self._write(statement, (entity,)).fetchone()["sequence"]

    def add(self, stored: Stored) -> None:
        """Keep a message."""
        message = stored.message
        values = {
            **{name: getattr(stored, name) for name in _COLUMNS if hasattr(stored, name)},
            "message_id": message.id,
            "durable": message.durable,
            "priority": message.priority,
            "ttl": message.ttl,
            "annotations": encode({symbol(name): value for name, value in message.annotations.items()}),
            "properties": message.encoded_properties,
            "application": message.encoded_application,
            "body": message.body,
        }
        marks = ", ".join("?" for _ in _COLUMNS)
        statement = f"INSERT INTO messages ({', '.join(_COLUMNS)}) VALUES ({marks})"  # noqa: S608  # our own names
        self._write(statement, [values[name] for name in _COLUMNS])

    def change(self, stored: Stored, **values: Any) -> None:
        """Set columns of a message. application, where given, is the encoded section."""
        names = ", ".join(f"{name} = ?" for name in values)
        statement = f"UPDATE messages SET {names} WHERE number = ?"  # noqa: S608  # our own names
        self._write(statement, [*values.values(), stored.number])

    def remove(self, stored: Stored) -> None:
        """Forget a message."""
        self._write("DELETE FROM messages WHERE number = ?", (stored.number,))

    def available(self, entity: int, dead: bool, session: str | None, now: int) -> Stored | None:
        """The first message that may be delivered, of one session where one is given."""
        where = "entity = ? AND dead = ? AND state = 0 AND lock IS NULL AND (expires IS NULL OR expires > ? OR dead)"
        values: list[Any] = [entity, dead, now]
        if session is not None:
            where, values = f"{where} AND session = ? AND session IS NOT NULL AND dead = 0", [*values, session]
        found = self._find(f"{where} ORDER BY sequence LIMIT 1", values)
        return found[0] if found else None

    def available_sessions(self, entity: int, now: int) -> list[str]:
        """Sessions with messages to deliver, the one that waits longest first."""
        rows = self._database.execute(
            "SELECT session FROM messages WHERE entity = ? AND state = 0 AND lock IS NULL AND dead = 0 "
            "AND session IS NOT NULL AND (expires IS NULL OR expires > ?) GROUP BY session ORDER BY min(sequence)",
            (entity, now),
        )
        return [row["session"] for row in rows]

    def locked(self, token: str) -> Stored | None:
        """The message of a lock."""
        found = self._find("lock = ?", (token,))
        return found[0] if found else None

    def locked_in_session(self, entity: int, session: str) -> list[Stored]:
        """What a session's receiver holds."""
        return self._find("lock IS NOT NULL AND entity = ? AND session = ? AND dead = 0", (entity, session))

    def locks_ended(self, now: int) -> list[Stored]:
        """Messages whose lock has run out."""
        return self._find("locked_until IS NOT NULL AND locked_until <= ?", (now,))

    def unlock_all(self) -> None:
        """End every lock, uncounted: which of the last ones were on disk is chance."""
        self._write("UPDATE messages SET lock = NULL, locked_until = NULL WHERE lock IS NOT NULL")

    def due(self, now: int) -> list[Stored]:
        """Scheduled messages whose time has come."""
        return self._find("state = 2 AND due <= ? ORDER BY due, sequence", (now,))

    def expired(self, now: int) -> list[Stored]:
        """Messages that nobody took in time."""
        return self._find(
            "expires IS NOT NULL AND state = 0 AND dead = 0 AND lock IS NULL AND expires <= ? ORDER BY sequence", (now,)
        )

    def by_sequence(self, entity: int, dead: bool, sequence: int) -> Stored | None:
        """A message by its sequence number."""
        found = self._find("entity = ? AND sequence = ? AND dead = ?", (entity, sequence, dead))
        return found[0] if found else None

    def peek(self, entity: int, dead: bool, first: int, count: int, session: str | None) -> list[Stored]:
        """Messages in any state from a sequence number on."""
        where, values = "entity = ? AND dead = ? AND sequence >= ?", [entity, dead, first]
        if session is not None:
            where, values = f"{where} AND session = ?", [*values, session]
        return self._find(f"{where} ORDER BY sequence LIMIT ?", [*values, count])

    def next_event(self) -> int | None:
        """When the next lock ends, message is due, message or remembered id expires."""
        row = self._database.execute(
            "SELECT min(at) AS at FROM ("
            "SELECT min(locked_until) AS at FROM messages WHERE locked_until IS NOT NULL UNION ALL "
            "SELECT min(due) FROM messages WHERE state = 2 UNION ALL "
            "SELECT min(expires) FROM messages WHERE expires IS NOT NULL AND state = 0 AND dead = 0 AND lock IS NULL "
            "UNION ALL SELECT min(until) FROM seen)"
        ).fetchone()
        return row["at"]

    def _find(self, where: str, values: Sequence[Any]) -> list[Stored]:
        rows = self._database.execute(f"{_READ} WHERE {where}", values)  # the conditions are literals
        return [_stored(row) for row in rows]

    # Duplicates

    def seen(self, entity: int, message_id: str, now: int, until: int) -> bool:
        """Whether a message id was there within the window; remembers it where not."""
        row = self._database.execute(
            "SELECT until FROM seen WHERE entity = ? AND message_id = ?", (entity, message_id)
        ).fetchone()
        if row and row["until"] > now:
            return True
        self._write(
            "INSERT INTO seen (entity, message_id, until) VALUES (?, ?, ?) "
            "ON CONFLICT (entity, message_id) DO UPDATE SET until = excluded.until",
            (entity, message_id, until),
        )
        return False

    def forget_seen(self, now: int) -> None:
        """Forget message ids whose window is over."""
        if self._database.execute("SELECT 1 FROM seen WHERE until <= ? LIMIT 1", (now,)).fetchone():
            self._write("DELETE FROM seen WHERE until <= ?", (now,))

    # Sessions

    def session_state(self, entity: int, session: str) -> bytes | None:
        """The state that a session's receivers left."""
        row = self._database.execute(
            "SELECT state FROM sessions WHERE entity = ? AND session = ?", (entity, session)
        ).fetchone()
        return row["state"] if row else None

    def set_session_state(self, entity: int, session: str, state: bytes | None, now: int) -> None:
        """Keep a session's state; None clears it."""
        if state is None:
            self._write("DELETE FROM sessions WHERE entity = ? AND session = ?", (entity, session))
            return
        self._write(
            "INSERT INTO sessions (entity, session, state, updated) VALUES (?, ?, ?, ?) "
            "ON CONFLICT (entity, session) DO UPDATE SET state = excluded.state, updated = excluded.updated",
            (entity, session, state, now),
        )

    def sessions(self, entity: int, updated_after: int | None) -> list[str]:
        """Sessions whose state was set after a time; without one, those with a state or active messages."""
        if updated_after is not None:
            rows = self._database.execute(
                "SELECT session FROM sessions WHERE entity = ? AND updated > ? ORDER BY session",
                (entity, updated_after),
            )
        else:
            rows = self._database.execute(
                "SELECT session FROM sessions WHERE entity = ? UNION SELECT session FROM messages "
                "WHERE entity = ? AND session IS NOT NULL AND dead = 0 AND state = 0 ORDER BY session",
                (entity, entity),
            )
        return [row["session"] for row in rows]


def _stored(row: sqlite3.Row) -> Stored:
    annotations, _ = decode(row["annotations"])
    message = Message(
        durable=bool(row["durable"]),
        priority=row["priority"],
        ttl=row["ttl"],
        annotations={str(name): value for name, value in annotations.items()},
        encoded_properties=row["properties"],
        encoded_application=row["application"],
        body=row["body"],
    )
    kept = ("entity", "sequence", "enqueued", "number", "state", "session", "due", "expires", "deliveries", "source")
    return Stored(
        **{name: row[name] for name in kept},
        dead=bool(row["dead"]),
        lock=row["lock"],
        locked_until=row["locked_until"],
        message=message,
    )
