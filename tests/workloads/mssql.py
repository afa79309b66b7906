"""Compiles for Azure SQL whatever the services execute on PostgreSQL, as it is executed."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Engine, event
from sqlalchemy.dialects import mssql, postgresql
from sqlalchemy.sql.elements import TextClause
from sqlalchemy.sql.expression import ClauseElement

from tests.workloads.servers import ADMINISTRATOR

_POSTGRESQL_ONLY = re.compile(
    r"\bON CONFLICT\b|\bRETURNING\b|\bFOR UPDATE\b|\bSKIP LOCKED\b|\bILIKE\b|::|\bLIMIT\b|\bnow\(\)|\bpg_|~\*", re.I
)
"""What T-SQL does not know: none of it may be left after compiling."""


def compiled(statement: ClauseElement, dialect: Any, keys: list[str] | None = None) -> str:
    """The SQL text of a statement for a dialect."""
    return " ".join(str(statement.compile(dialect=dialect, column_keys=keys)).split())


def faults(statement: ClauseElement, keys: list[str] | None = None) -> list[str]:
    """What is wrong with a statement on Azure SQL: it does not compile, keeps PostgreSQL's words, or loses its lock."""
    if isinstance(statement, TextClause):
        return [f"textual SQL has no variant for mssql: {statement.text[:80]}"]
    here = compiled(statement, postgresql.dialect(), keys)
    try:
        there = compiled(statement, mssql.dialect(), keys)
    except Exception as error:
        return [f"does not compile for mssql: {error}: {here[:200]}"]
    found = [f"left over for mssql: {match[0]!r} in {there[:300]}" for match in _POSTGRESQL_ONLY.finditer(there)]
    if "FOR UPDATE" in here and "UPDLOCK" not in there:
        found.append(f"its lock is lost on mssql: {there[:300]}")
    if "SKIP LOCKED" in here and "READPAST" not in there:
        found.append(f"SKIP LOCKED is lost on mssql: {there[:300]}")
    return found


@dataclass
class Recorder:
    """Every distinct statement that was executed, and what is wrong with them on Azure SQL."""

    seen: dict[str, str] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)

    def listen(self) -> None:
        """Record from now on, on every engine of this process."""
        event.listen(Engine, "before_execute", self._record)

    def stop(self) -> None:
        """Record no more."""
        event.remove(Engine, "before_execute", self._record)

    def _record(self, connection: Any, statement: Any, many: Any, one: Any, options: Any) -> None:
        if connection.engine.url.username == ADMINISTRATOR:
            return  # the administrator's migrations, compiled by a test of their own; services have other roles
        keys = list((many or [one])[0] or {}) or None
        here = compiled(statement, postgresql.dialect(), keys) if not isinstance(statement, TextClause) else ""
        if not here or here not in self.seen:
            self.faults += faults(statement, keys)
            if here:
                self.seen[here] = compiled(statement, mssql.dialect(), keys)
