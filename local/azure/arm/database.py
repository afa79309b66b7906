"""The embedded Azure's SQLite database: one file, write-ahead log, committed before any answer is sent."""

from __future__ import annotations

import sqlite3
from pathlib import Path

_SCHEMA = """
CREATE TABLE IF NOT EXISTS resources (
    key TEXT PRIMARY KEY,            -- id in lower case: ARM compares ids without regard to case
    id TEXT NOT NULL, name TEXT NOT NULL, type TEXT NOT NULL,
    type_key TEXT NOT NULL, etag TEXT NOT NULL, body TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS resources_by_type ON resources (type_key, key);
CREATE TABLE IF NOT EXISTS ports (key TEXT PRIMARY KEY, port INTEGER NOT NULL UNIQUE);
CREATE TABLE IF NOT EXISTS operations (
    id TEXT PRIMARY KEY, kind TEXT NOT NULL, resource TEXT NOT NULL, status TEXT NOT NULL,
    started TEXT NOT NULL, ended TEXT, error TEXT, previous TEXT, status_code INTEGER
);
CREATE TABLE IF NOT EXISTS deleted (  -- soft-deleted resources, which still hold their names
    key TEXT PRIMARY KEY, type_key TEXT NOT NULL, name_key TEXT NOT NULL, location TEXT NOT NULL,
    id TEXT NOT NULL, body TEXT NOT NULL, deleted TEXT NOT NULL, purge TEXT NOT NULL, tree TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS principals (
    object_id TEXT PRIMARY KEY, client_id TEXT UNIQUE, name TEXT NOT NULL, kind TEXT NOT NULL,
    resource TEXT UNIQUE,            -- lower-case id of the ARM resource whose managed identity it is
    salt BLOB, secret BLOB           -- scrypt of a client secret or a test user's password
);
CREATE TABLE IF NOT EXISTS registrations (namespace TEXT PRIMARY KEY, state TEXT NOT NULL);
"""


def connect(path: Path) -> sqlite3.Connection:
    """Open the database, making it and its tables on first use. Readable by its owner only.

    Raises sqlite3.DatabaseError when the file is no database.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.touch(mode=0o600)
    connection = sqlite3.connect(path, isolation_level=None)
    connection.row_factory = sqlite3.Row
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA busy_timeout=5000")
    connection.executescript(_SCHEMA)
    return connection
