"""Objects of Graph in SQLite: by collection, such as "applications/<id>/federatedIdentityCredentials", and id."""

from __future__ import annotations

import json
import sqlite3

from local.azure.context import Body

_SCHEMA = """
CREATE TABLE IF NOT EXISTS graph_objects (
    collection TEXT NOT NULL, id TEXT NOT NULL,
    own TEXT NOT NULL, added TEXT NOT NULL,  -- what callers wrote, and what Graph adds
    PRIMARY KEY (collection, id)
)"""


class GraphStore:
    """Kept before an answer is sent. An object is what callers wrote and what Graph adds, its id among it."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database
        database.execute(_SCHEMA)

    def get(self, collection: str, key: str) -> Body | None:
        """The object of an id."""
        row = self._database.execute(
            "SELECT own, added FROM graph_objects WHERE collection = ? AND id = ?", (collection, key)
        ).fetchone()
        return _whole(row) if row else None

    def own(self, collection: str, key: str) -> Body:
        """What callers wrote of an object that is there."""
        row = self._database.execute(
            "SELECT own FROM graph_objects WHERE collection = ? AND id = ?", (collection, key)
        ).fetchone()
        return json.loads(row["own"])

    def list(self, collection: str) -> list[Body]:
        """Every object of a collection, in the order of their ids."""
        query = "SELECT own, added FROM graph_objects WHERE collection = ? ORDER BY id"
        return [_whole(row) for row in self._database.execute(query, (collection,))]

    def put(self, collection: str, own: Body, added: Body) -> None:
        """Keep an object as it is now."""
        self._database.execute(
            "INSERT INTO graph_objects (collection, id, own, added) VALUES (?,?,?,?) "
            "ON CONFLICT (collection, id) DO UPDATE SET own = excluded.own, added = excluded.added",
            (collection, added["id"], json.dumps(own), json.dumps(added)),
        )

    def remove(self, collection: str, key: str) -> None:
        """Forget an object and every collection below it."""
        self._database.execute("DELETE FROM graph_objects WHERE collection = ? AND id = ?", (collection, key))
        below = f"{collection}/{key}/"
        self._database.execute("DELETE FROM graph_objects WHERE substr(collection, 1, ?) = ?", (len(below), below))


def _whole(row: sqlite3.Row) -> Body:
    return json.loads(row["own"]) | json.loads(row["added"])
