"""What the administrator may do in the shared cluster, and what it may not."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from tests.local.azure.dataplanes.conftest import Embedded
from tests.local.azure.dataplanes.sql.conftest import SERVERS, Backend, Server, new_server


@pytest.fixture
def other(embedded: Embedded, postgres: Backend) -> Iterator[Server]:
    made = new_server(embedded)
    embedded.put(f"{SERVERS}/databases", f"{made.resource.name}/consent", {"properties": {}})
    yield made
    embedded.delete(made.resource)


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE ROLE evil SUPERUSER",
        "ALTER ROLE postgres PASSWORD 'x'",
        "CREATE DATABASE mine",
        "COPY (SELECT 1) TO '/tmp/x'",
        "COPY (SELECT 1) TO PROGRAM 'true'",
        "SELECT pg_read_file('/etc/passwd')",
        "ALTER SYSTEM SET fsync = off",
        "SET ROLE postgres",
    ],
)
def test_the_administrator_is_no_superuser(server: Server, statement: str) -> None:
    with server.connect(server.admin, "consent") as session, pytest.raises(psycopg.errors.InsufficientPrivilege):
        session.execute(statement.encode())


def test_a_service_neither_creates_tables_nor_roles(server: Server) -> None:
    with server.connect(server.service("consent"), "consent") as session:
        for statement in ("CREATE TABLE mine (x int)", "CREATE ROLE mine", "CREATE SCHEMA mine", "DROP TABLE entry"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                session.execute(statement)


def test_the_administrator_of_one_server_is_nobody_on_another(server: Server, other: Server) -> None:
    with pytest.raises(psycopg.OperationalError, match="Login failed"):
        other.connect(server.admin, "consent")
    name = other.resource.name
    grant = f'GRANT CONNECT ON DATABASE "{name}/consent" TO "{name}/dbo"'.encode()
    with server.connect(server.admin, "consent") as session, pytest.raises(psycopg.errors.InsufficientPrivilege):
        session.execute(grant)


def test_servers_with_databases_of_one_name_keep_their_data_apart(server: Server, other: Server) -> None:
    with other.connect(other.admin, "consent") as session:
        assert session.execute("SELECT to_regclass('entry')").fetchone() == (None,)


def test_a_new_administrator_takes_over_at_once_with_all_that_is_there(embedded: Embedded, other: Server) -> None:
    with other.connect(other.admin, "consent") as session:
        session.execute("CREATE TABLE kept (x int)")
    successor = other.identity()
    embedded.put(
        f"{SERVERS}/administrators",
        f"{other.resource.name}/ActiveDirectory",
        {"properties": {"administratorType": "ActiveDirectory", "login": "next", "sid": successor.object_id}},
    )
    with other.connect(successor, "consent") as session:
        session.execute("ALTER TABLE kept ADD COLUMN y int")
        session.execute("CREATE ROLE later_service LOGIN")
        session.execute("DROP ROLE later_service")
    with pytest.raises(psycopg.OperationalError, match="Login failed"):
        other.connect(other.admin, "consent")


def test_a_group_administers_through_its_members_tokens(embedded: Embedded, other: Server) -> None:
    group = "0f6bd2c9-4d53-4a35-bb2c-2f34ad5c9f11"
    embedded.put(
        f"{SERVERS}/administrators",
        f"{other.resource.name}/ActiveDirectory",
        {"properties": {"administratorType": "ActiveDirectory", "login": "dbas", "sid": group}},
    )
    member = other.identity()
    with other.connect(member, "consent", password=other.token(member, groups=[group])) as session:
        assert session.execute("SELECT pg_has_role('pg_database_owner', 'MEMBER')").fetchone() == (True,)


def test_a_deleted_database_is_gone_whoever_is_connected(embedded: Embedded, other: Server) -> None:
    database = embedded.put(f"{SERVERS}/databases", f"{other.resource.name}/gone", {"properties": {}})
    with other.connect(other.admin, "gone") as session:
        embedded.delete(database)
        with pytest.raises(psycopg.OperationalError):
            session.execute("SELECT 1")
    with pytest.raises(psycopg.OperationalError, match="Cannot open database"):
        other.connect(other.admin, "gone")


def test_a_deleted_server_leaves_nothing_in_the_cluster(embedded: Embedded, postgres: Backend) -> None:
    made = new_server(embedded)
    embedded.put(f"{SERVERS}/databases", f"{made.resource.name}/short", {"properties": {}})
    with made.connect(made.admin, "short") as session:
        session.execute("CREATE TABLE entry (x int)")
    who = made.service("short")
    embedded.delete(made.resource)
    with pytest.raises(psycopg.OperationalError):
        made.connect(made.admin, "short")
    folder = embedded.instance.state / "postgres" / "socket"
    with psycopg.connect(host=str(folder), user="postgres", dbname="postgres") as cluster:
        roles = cluster.execute(
            "SELECT rolname FROM pg_roles WHERE rolname IN (%s, %s)", [f"{made.resource.name}/dbo", who.object_id]
        ).fetchall()
        left = cluster.execute(
            "SELECT 1 FROM pg_database WHERE datname LIKE %s", [made.resource.name + "/%"]
        ).fetchall()
    assert (roles, left) == ([], [])
