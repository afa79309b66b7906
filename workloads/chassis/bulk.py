"""Many rows at once: COPY on PostgreSQL, batches of one statement on Azure SQL; bound to the session's user."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Table, bindparam, insert, update
from sqlalchemy.orm import Session

from workloads.chassis import tenancy
from workloads.chassis.tenancy import USER, UnboundQuery


def insert_many(session: Session, model: Any, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows of a mapped class, all with the same columns. Raises UnboundQuery for another user's rows."""
    if not rows:
        return
    table: Table = model.__table__
    _check(session, table, rows)
    connection = session.connection()
    if connection.dialect.name != "postgresql":
        connection.execute(insert(table), [dict(each) for each in rows])
        return
    names = list(rows[0])
    quote = connection.dialect.identifier_preparer.quote
    columns = ", ".join(map(quote, names))
    driver: Any = connection.connection.driver_connection
    with driver.cursor() as cursor, cursor.copy(f"COPY {quote(table.name)} ({columns}) FROM STDIN") as copy:
        for each in rows:
            copy.write_row([each[name] for name in names])


def update_many(
    session: Session, model: Any, key: str, rows: Sequence[Mapping[str, Any]], *, newer: str | None = None
) -> None:
    """Update the session user's rows, each found by its key column; all rows have the same columns.

    newer: a column that must rise; a row in which it would not is left as it is, also where another worker wrote it
    a moment ago. Raises UnboundQuery without a user.
    """
    if not rows:
        return
    table: Table = model.__table__
    changed = [name for name in rows[0] if name != key]
    statement = (
        update(table)
        .where(table.c[key] == bindparam("sought"), table.c[USER] == bindparam("owner"))
        .values({name: bindparam(f"new_{name}") for name in changed})
    )
    if newer:
        statement = statement.where(table.c[newer] < bindparam(f"new_{newer}"))
    user = tenancy.user(session)
    session.connection().execute(
        statement,
        [
            {"sought": each[key], "owner": user, **{f"new_{name}": each[name] for name in changed}}
            for each in rows
        ],
    )  # fmt: skip


def _check(session: Session, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    if USER in table.columns:
        user = tenancy.user(session)
        if any(each.get(USER) != user for each in rows):
            raise UnboundQuery(f"{table.name}: a row of another user than the session's")
