"""A prepared query is bound to a user like any other, or there is none."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import bindparam, select, text
from sqlalchemy.exc import StatementError
from sqlalchemy.orm import aliased

from tests.workloads.servers import Postgres
from workloads.chassis.database import Database
from workloads.chassis.prepared import PreparedQuery
from workloads.chassis.tenancy import USER, UnboundQuery
from workloads.chassis.userkeys import UserKey

KEY: Any = UserKey.__table__
ANNA, BEN = uuid.uuid4(), uuid.uuid4()


@pytest.fixture(scope="module")
def database(server: Postgres) -> Iterator[Database]:
    """A database where each has a key."""
    opened = Database(server.service_url("transaction", "prepared"))
    for each in (ANNA, BEN):
        with opened.session(each) as session:
            session.add(UserKey(user_id=each, wrapped=each.bytes, wrapping_key="k"))
    yield opened
    opened.close()


def test_it_finds_the_sessions_user_alone(database: Database) -> None:
    query = PreparedQuery(select(KEY.c.wrapped).where(KEY.c.wrapping_key == bindparam("name")))
    for each in (ANNA, BEN):
        with database.session(each) as session:
            assert [row.wrapped for row in query.rows(session, name="k")] == [each.bytes]
            assert query.rows(session, name="another") == []


def test_it_sees_what_the_session_has_not_yet_written(database: Database) -> None:
    user = uuid.uuid4()
    with database.session(user) as session:
        session.add(UserKey(user_id=user, wrapped=b"new", wrapping_key="k"))
        assert [row.wrapped for row in PreparedQuery(select(KEY.c.wrapped)).rows(session)] == [b"new"]


def test_nobodys_session_reads_nothing_and_no_parameter_names_another(database: Database) -> None:
    query = PreparedQuery(select(KEY.c.wrapped))
    with pytest.raises(UnboundQuery), database.session() as session:
        query.rows(session)
    with database.session(ANNA) as session:
        assert [row.wrapped for row in query.rows(session, **{USER: BEN})] == [ANNA.bytes]
    with pytest.raises(StatementError, match=USER), database.session(ANNA) as session:
        session.connection().execute(query.statement)


@pytest.mark.parametrize(
    "query",
    [
        select(bindparam("x", 1)),
        select(KEY.c.wrapped).where(text("true")),
        select(KEY.c.wrapped).where(KEY.c.user_id.in_(select(KEY.c.user_id))),
        select(KEY.alias().c.wrapped),
        select(KEY.c.wrapped, KEY.alias().c.wrapped),
        select(select(KEY.c.wrapped).subquery().c.wrapped),
        select(aliased(UserKey).wrapped),
    ],
)
def test_what_could_stay_unbound_in_part_is_refused(query: Any) -> None:
    with pytest.raises(UnboundQuery):
        PreparedQuery(query)
