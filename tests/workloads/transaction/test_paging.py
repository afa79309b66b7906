"""A page costs the same however far one has paged: the index leads to its first row, whatever comes before it."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from sqlalchemy import event

from tests.bench.backend import ledgers
from tests.workloads.servers import Postgres
from workloads.chassis.database import Database
from workloads.services.transaction import store
from workloads.services.transaction.store import Filter

ROWS, LIMIT = 1500, 20
OTHERS = 4
"""Further people in the same tables."""


@pytest.fixture(scope="module")
def filled(server: Postgres) -> Iterator[tuple[Database, ledgers.Person, psycopg.Connection[Any]]]:
    """A database with ledgers, somebody in it, and the owner's connection, which may explain."""
    database = Database(server.service_url("transaction", "paging"))
    people = [
        ledgers.Person(uuid.uuid4(), ROWS if number == 0 else 300, [uuid.uuid4() for _ in range(2)])
        for number in range(1 + OTHERS)
    ]
    for part in range(2):
        for each in people:
            ledgers.fill(database, each, part, 2)
    with psycopg.connect(host=str(server.socket_folder), user="postgres", dbname="paging", autocommit=True) as owner:
        owner.execute("VACUUM ANALYZE")
        yield database, people[0], owner
    database.close()


def _pages(database: Database, user: uuid.UUID, wanted: Filter) -> list[tuple[list[int], str, Any]]:
    """Every page: its rows' numbers, and the statement that read it with its parameters."""
    read: list[tuple[str, Any]] = []

    def executed(_: Any, __: Any, statement: str, parameters: Any, *___: Any) -> None:
        read.append((statement, parameters))

    event.listen(database.engine, "before_cursor_execute", executed)
    found, cursor = [], None
    try:
        while True:
            with database.session(user) as session:
                rows, cursor = store.page(session, wanted, cursor, LIMIT)
            found.append(([each["sequence"] for each in rows], *read[-1]))
            if cursor is None:
                return found
    finally:
        event.remove(database.engine, "before_cursor_execute", executed)


def _touched(owner: psycopg.Connection[Any], statement: str, parameters: Any) -> int:
    """Rows that the database looks at to answer a statement."""
    explain: Any = f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}"
    row = owner.execute(explain, parameters).fetchone()
    assert row
    plan = row[0] if isinstance(row[0], list) else json.loads(row[0])
    node, deepest = plan[0]["Plan"], plan[0]["Plan"]
    while "Plans" in node:
        node = deepest = node["Plans"][0]
    return deepest["Actual Rows"] + deepest.get("Rows Removed by Filter", 0)


@pytest.mark.parametrize("wanted", [Filter(), Filter(minimum=-15_000), Filter(text="kartenzahlung")])
def test_the_last_page_reads_no_more_rows_than_the_first(
    filled: tuple[Database, ledgers.Person, psycopg.Connection[Any]], wanted: Filter
) -> None:
    database, person, owner = filled
    pages = _pages(database, person.user, wanted)
    assert len(pages) > 50
    rows = [sequence for page, _, _ in pages for sequence in page]
    assert len(rows) == len(set(rows)), "no row stands on two pages"
    touched = [_touched(owner, *pages[number][1:]) for number in (0, len(pages) // 2, -2)]
    assert max(touched) <= 3 * LIMIT, f"a page of {LIMIT} looked at so many rows, from the first to the last: {touched}"


def test_every_row_is_on_a_page_newest_first(
    filled: tuple[Database, ledgers.Person, psycopg.Connection[Any]],
) -> None:
    database, person, _ = filled
    rows = [sequence for page, _, _ in _pages(database, person.user, Filter()) for sequence in page]
    assert len(rows) == ROWS
    assert rows[0] > rows[-1]
