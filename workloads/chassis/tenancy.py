"""Every statement on a user's rows is bound to that user; one that is not is refused before it reaches the database."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Executable, Select, SelectBase, Table, TextClause, bindparam, event
from sqlalchemy.orm import ORMExecuteState, Session, UOWTransaction, with_loader_criteria
from sqlalchemy.sql import visitors

from workloads.chassis.dialect import Upsert
from workloads.chassis.schema import Owned

USER = "user_id"
"""Key of the session's user in ``Session.info``."""


class UnboundQuery(RuntimeError):
    """A statement on users' rows without a user, or past the object mapper that binds it: a programming error."""


def user(session: Session) -> uuid.UUID:
    """The session's user. Raises UnboundQuery where it has none."""
    found: uuid.UUID | None = session.info.get(USER)
    if found is None:
        raise UnboundQuery("a session of nobody's: open it with database.session(user)")
    return found


def _owned_tables(statement: Executable) -> set[str]:
    """Names of the tables of users' rows. Raises UnboundQuery for SQL in text: nobody knows what it is about."""
    found: set[str] = set()
    for each in visitors.iterate(statement):  # type: ignore[arg-type]  # whatever is executed can be walked
        if isinstance(each, TextClause):
            raise UnboundQuery("a statement in text, which can't be bound to a user: query mapped classes")
        if isinstance(each, Table) and USER in each.columns:
            found.add(each.name)
    return found


def bound(query: Select[*tuple[Any, ...]]) -> Select[*tuple[Any, ...]]:
    """A query of one table of users' rows, bound to who its parameter ``USER`` names: for those made only once.

    Without a value for it no database is asked. Raises UnboundQuery for anything but columns of one such table: within
    that, nothing can stay unbound.
    """
    asked, tables = query.get_final_froms(), _owned_tables(query)
    selects = [each for each in visitors.iterate(query) if isinstance(each, SelectBase)]
    table = asked[0] if len(asked) == len(tables) == len(selects) == 1 else None
    if not isinstance(table, Table) or table.name not in tables:
        raise UnboundQuery("only a query of one table of users' rows can be bound once: let the session bind it")
    return query.where(table.c[USER] == bindparam(USER))


def bind(session_class: type[Session]) -> None:
    """Make a session class bind what it executes."""
    event.listen(session_class, "do_orm_execute", _on_execute)
    event.listen(session_class, "before_flush", _on_flush)


def _on_execute(state: ORMExecuteState) -> None:
    user: uuid.UUID | None = state.session.info.get(USER)
    if isinstance(state.statement, Upsert):
        upsert, told = state.statement, state.parameters
        named = upsert.told(told, USER) if isinstance(told, Mapping) else None
        if USER in upsert.table.columns and named != {user}:
            raise UnboundQuery(f"an upsert into {upsert.table.name} names another user than the session's")
        return
    tables = _owned_tables(state.statement)
    if not tables:
        return
    if user is None:
        raise UnboundQuery(f"{', '.join(sorted(tables))}: open the session with database.session(user)")
    if not state.is_orm_statement or not (state.is_select or state.is_update or state.is_delete):
        raise UnboundQuery(f"{', '.join(sorted(tables))}: query mapped classes, not tables")
    criteria: Any = with_loader_criteria(Owned, lambda row: row.user_id == user, include_aliases=True)
    state.statement = state.statement.options(criteria)


def _on_flush(session: Session, _: UOWTransaction, __: object) -> None:
    user: uuid.UUID | None = session.info.get(USER)
    for row in session.new:
        if isinstance(row, Owned):
            if user is None or row.user_id not in (None, user):
                raise UnboundQuery(f"a {type(row).__name__} of another user than the session's")
            row.user_id = user
    for row in [*session.dirty, *session.deleted]:
        if isinstance(row, Owned) and row.user_id != user:
            raise UnboundQuery(f"a {type(row).__name__} of another user than the session's")
