"""Everything that the running platform keeps, looked into from below: databases, files, bus, logs and telemetry."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from local.azure.dataplanes import sql_cluster
from local.instance import Instance

_BLOCK = 1 << 20


@dataclass(frozen=True)
class Stores:
    """What an instance of the embedded Azure keeps on disk."""

    instance: Instance

    @contextmanager
    def connected(self, database: str) -> Iterator[psycopg.Connection[Any]]:
        """Into a service's database, past its users: as the cluster's own superuser."""
        with self._open("postgres") as cluster:
            found = cluster.execute("SELECT datname FROM pg_database WHERE datname LIKE %s", [f"%/{database}"])
            (name,) = found.fetchone() or (database,)
        with self._open(name) as connection:
            yield connection

    @contextmanager
    def _open(self, name: str) -> Iterator[psycopg.Connection[Any]]:
        socket = sql_cluster.Socket(self.instance)
        try:
            with psycopg.connect(host=socket.folder, user=sql_cluster.SUPERUSER, dbname=name) as connection:
                yield connection
        finally:
            socket.close()

    def rows_with(self, database: str, needles: Iterable[str]) -> dict[str, int]:
        """Rows that hold one of the texts in any column, by table of a service's database."""
        with self.connected(database) as connection:
            return {f"{database}.{table}": count for table, count in rows_with(connection, needles).items()}

    def messages_with(self, needle: str) -> int:
        """Messages of the bus, waiting or given up, that hold the text."""
        where = " OR ".join(f"instr({each}, ?)" for each in ("properties", "application", "body", "annotations"))
        with sqlite3.connect(f"file:{self.instance.azure / 'servicebus.db'}?mode=ro", uri=True) as bus:
            counted = bus.execute(f"SELECT count(*) FROM messages WHERE {where}", [needle.encode()] * 4)
            return counted.fetchone()[0]

    def devices_with(self, needles: Iterable[str]) -> int:
        """Devices that the notification hubs know, and pushes to them, that hold one of the texts."""
        found = 0
        with closing(sqlite3.connect(f"file:{self.instance.azure / 'notification-hubs.db'}?mode=ro", uri=True)) as hubs:
            for needle in needles:
                for query in (
                    "SELECT count(*) FROM installation WHERE instr(body, ?)",
                    "SELECT count(*) FROM delivery WHERE instr(channel || headers || body, ?)",
                ):
                    found += hubs.execute(query, [needle]).fetchone()[0]
        return found

    @property
    def bus(self) -> list[Path]:
        """The broker's messages, what was deleted of them and not written over yet among them."""
        return list(self.instance.azure.glob("servicebus.db*"))

    @property
    def blobs(self) -> list[Path]:
        """Every blob, and what is known of each."""
        return _files(self.instance.state / "azurite")

    @property
    def logs(self) -> list[Path]:
        """Logs of all daemons and of every container that ever ran, and telemetry."""
        pods = (self.instance.state / "kubernetes").rglob("output.log")
        return [*_files(self.instance.logs), *pods, *self.instance.azure.glob("insights.db*")]


def rows_with(connection: psycopg.Connection[Any], needles: Iterable[str]) -> dict[str, int]:
    """Rows of a database that hold one of the texts in any column, be it text or bytes, by table."""
    patterns = [f"%{form}%" for each in needles for form in (each, each.encode().hex())]
    found = {}
    tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
    for (table,) in tables:
        query = sql.SQL("SELECT count(*) FROM {} t WHERE t::text LIKE ANY(%s)").format(sql.Identifier(table))
        (count,) = connection.execute(query, [patterns]).fetchone() or (0,)
        if count:
            found[table] = count
    return found


def _files(folder: Path) -> list[Path]:
    return [each for each in folder.rglob("*") if each.is_file()]


def files_with(files: Iterable[Path], needles: Iterable[str]) -> set[tuple[str, str]]:
    """Names of files that hold one of the texts, and which."""
    wanted, found = [(each, each.encode()) for each in needles], set()
    longest = max(len(each) for _, each in wanted)
    for file in files:
        with file.open("rb") as opened:
            tail = b""
            while block := opened.read(_BLOCK):
                found |= {(file.name, text) for text, each in wanted if each in tail + block}
                tail = block[-longest:]
    return found
