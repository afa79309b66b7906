"""Where PostgreSQL and Azure SQL differ: locking, upsert and id order, each with a variant per dialect.

Services use these and nothing else for the three: SQLAlchemy compiles ``FOR UPDATE SKIP LOCKED`` to nothing for
mssql, knows no upsert there, and SQL Server orders ``uniqueidentifier`` by its last bytes first.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    DateTime,
    Executable,
    Select,
    Table,
    bindparam,
    func,
    select,
    text,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import Session
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.expression import ClauseElement
from sqlalchemy.sql.functions import GenericFunction
from sqlalchemy.sql.visitors import InternalTraversal
from sqlalchemy.types import String

_MOST_PARAMETERS = 2000
"""Azure SQL takes 2,100 in a statement."""


class Upsert(Executable, ClauseElement):
    """Insert rows; where a row with the same key is there already, update it or leave it.

    table: where. columns: of every row. key: the columns of a unique constraint. update: the columns taken over into a
    row that exists; none leaves it as it is. count: how many rows; their values are parameters, see ``parameters``.
    """

    # What makes two of them the same to SQLAlchemy's cache of compiled statements: everything but the rows' values.
    _traverse_internals = [  # noqa: RUF012  # SQLAlchemy's form of it (sqlalchemy.sql.visitors.InternalTraversal)
        ("table", InternalTraversal.dp_clauseelement),
        ("columns", InternalTraversal.dp_string_list),
        ("key", InternalTraversal.dp_string_list),
        ("update", InternalTraversal.dp_string_list),
        ("count", InternalTraversal.dp_plain_obj),
    ]

    def __init__(
        self, table: Table, columns: Sequence[str], key: Sequence[str], update: Sequence[str] = (), count: int = 1
    ) -> None:
        if count < 1:
            raise ValueError(f"an upsert into {table.name} needs at least one row")
        self.table, self.columns, self.key, self.update = table, list(columns), list(key), list(update)
        self.count = count

    def parameters(self, rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """The values of so many rows, as they are bound."""
        return {_bound(name, n): row[name] for n, row in enumerate(rows) for name in self.columns}

    def told(self, parameters: Mapping[str, Any], column: str) -> set[Any]:
        """The values of a column among bound ones."""
        return {parameters.get(_bound(column, n)) for n in range(self.count)}


def _bound(column: str, row: int) -> str:
    return f"r{row}_{column}"


def upsert(
    session: Session, model: Any, rows: Sequence[Mapping[str, Any]], key: Sequence[str], update: Sequence[str] = ()
) -> None:
    """Insert rows of a mapped class; where one with the same key is there already, update these columns or leave it.

    In as many statements as Azure SQL's limit on parameters asks for.
    """
    step = max(1, _MOST_PARAMETERS // len(rows[0])) if rows else 1
    for start in range(0, len(rows), step):
        _execute(session, model, rows[start : start + step], key, update)


def insert_new(session: Session, model: Any, row: Mapping[str, Any], key: Sequence[str]) -> bool:
    """Insert a row unless one with the same key is there; whether it was inserted.

    A transaction that inserts the same key at the same time is waited for.
    """
    return _execute(session, model, [row], key).rowcount == 1


def _execute(
    session: Session, model: Any, rows: Sequence[Mapping[str, Any]], key: Sequence[str], update: Sequence[str] = ()
) -> Any:
    statement = Upsert(model.__table__, list(rows[0]), key, update, len(rows))
    return session.execute(statement, statement.parameters(rows))


def _values(element: Upsert, compiler: SQLCompiler, options: dict[str, Any]) -> tuple[str, str]:
    """The columns, and every row as bound parameters of the columns' types."""

    def parameter(name: str, row: int) -> str:
        bound: BindParameter[Any] = bindparam(_bound(name, row), type_=element.table.columns[name].type)
        return compiler.process(bound, **options)

    rows = ", ".join(f"({', '.join(parameter(name, n) for name in element.columns)})" for n in range(element.count))
    return ", ".join(map(compiler.preparer.quote, element.columns)), rows


# The names in both statements come from the tables' own metadata and are quoted; values are bound.


@compiles(Upsert, "postgresql")
def _upsert_postgresql(element: Upsert, compiler: SQLCompiler, **options: Any) -> str:
    quote = compiler.preparer.quote
    columns, rows = _values(element, compiler, options)
    taken = ", ".join(f"{quote(name)} = excluded.{quote(name)}" for name in element.update)
    return (
        f"INSERT INTO {compiler.preparer.format_table(element.table)} ({columns}) VALUES {rows} "  # noqa: S608
        f"ON CONFLICT ({', '.join(map(quote, element.key))}) DO " + (f"UPDATE SET {taken}" if taken else "NOTHING")
    )


@compiles(Upsert, "mssql")
def _upsert_mssql(element: Upsert, compiler: SQLCompiler, **options: Any) -> str:
    quote = compiler.preparer.quote
    columns, rows = _values(element, compiler, options)
    match = " AND ".join(f"target.{quote(name)} = source.{quote(name)}" for name in element.key)
    taken = ", ".join(f"{quote(name)} = source.{quote(name)}" for name in element.update)
    given = ", ".join(f"source.{quote(name)}" for name in element.columns)
    # HOLDLOCK: without it two concurrent MERGEs can both find no match and one fails on the unique constraint.
    parts = [
        f"MERGE INTO {compiler.preparer.format_table(element.table)} WITH (HOLDLOCK) AS target",
        f"USING (VALUES {rows}) AS source ({columns}) ON {match}",
        f"WHEN MATCHED THEN UPDATE SET {taken}" if taken else "",
        f"WHEN NOT MATCHED THEN INSERT ({columns}) VALUES ({given});",  # noqa: S608
    ]
    return " ".join(filter(None, parts))


def locked(query: Select[Any], model: Any, *, skip_locked: bool = False) -> Select[Any]:
    """The query with its rows locked for update until the transaction ends.

    skip_locked: leave out rows that another transaction holds, instead of waiting for them.
    """
    hint = "WITH (UPDLOCK, ROWLOCK, READPAST)" if skip_locked else "WITH (UPDLOCK, ROWLOCK)"
    return query.with_for_update(skip_locked=skip_locked).with_hint(model, hint, "mssql")


class _IdentifierOrder(GenericFunction[str]):
    type = String()
    name = "identifier_order"
    inherit_cache = True


@compiles(_IdentifierOrder, "postgresql")
def _order_postgresql(element: _IdentifierOrder, compiler: SQLCompiler, **options: Any) -> str:
    return compiler.process(element.clauses, **options)


@compiles(_IdentifierOrder, "mssql")
def _order_mssql(element: _IdentifierOrder, compiler: SQLCompiler, **options: Any) -> str:
    return f"CONVERT(char(36), {compiler.process(element.clauses, **options)})"


def identifier_order(column: Any) -> ColumnElement[str]:
    """Orders by an identifier, the same on both dialects: for taking locks in one order, never for paging."""
    return _IdentifierOrder(column)


class _DatabaseTime(GenericFunction[datetime.datetime]):
    type = DateTime(timezone=True)
    name = "database_time"
    inherit_cache = True


@compiles(_DatabaseTime, "postgresql")
def _time_postgresql(element: _DatabaseTime, compiler: SQLCompiler, **options: Any) -> str:
    return "clock_timestamp()"


@compiles(_DatabaseTime, "mssql")
def _time_mssql(element: _DatabaseTime, compiler: SQLCompiler, **options: Any) -> str:
    return "SYSDATETIMEOFFSET()"


def database_time(session: Session) -> datetime.datetime:
    """The present moment by the database's clock, aware: a witness beside our own."""
    return session.scalars(select(_DatabaseTime())).one()


class _DatabaseIdentity(GenericFunction[str]):
    type = String()
    name = "database_identity"
    inherit_cache = True


@compiles(_DatabaseIdentity, "postgresql")
def _identity_postgresql(element: _DatabaseIdentity, compiler: SQLCompiler, **options: Any) -> str:
    # A logical restore makes a database with another oid; recovery to a point in time always ends in a new timeline.
    return (
        "(SELECT concat_ws('/', s.system_identifier, c.timeline_id, d.oid) FROM pg_control_system() s, "
        "pg_control_checkpoint() c, pg_database d WHERE d.datname = current_database())"
    )


@compiles(_DatabaseIdentity, "mssql")
def _identity_mssql(element: _DatabaseIdentity, compiler: SQLCompiler, **options: Any) -> str:
    # Azure SQL restores into a new database only. create_date: when it was created or renamed (sys.databases).
    return "(SELECT CONVERT(varchar(30), create_date, 126) FROM sys.databases WHERE database_id = DB_ID())"


def database_identity(session: Session) -> str:
    """What names this very database on its server: one that was restored from a backup has another."""
    return session.scalars(select(_DatabaseIdentity())).one()


def lock_application(connection: Connection, name: str) -> None:
    """Wait for, and hold until the connection's session ends, a lock of this name in this database."""
    if connection.dialect.name == "mssql":
        statement = "EXEC sp_getapplock @Resource = :name, @LockMode = 'Exclusive', @LockOwner = 'Session'"
        connection.execute(text(statement), {"name": name})
    else:
        connection.execute(select(func.pg_advisory_lock(func.hashtextextended(name, 0))))
