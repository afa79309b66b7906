"""The migration Job's own steps, as the administrator: no right too few, and none too many for the service."""

from __future__ import annotations

import uuid

import psycopg
import pytest
from sqlalchemy import create_engine

from tests.local.azure.dataplanes.conftest import Embedded
from tests.local.azure.dataplanes.sql.conftest import SERVERS, Server
from workloads.chassis import database_users, dialect, migrate
from workloads.chassis.database_users.identity import ServiceIdentity


def test_a_migration_prepares_the_database_for_its_service_and_may_run_again(
    embedded: Embedded, server: Server
) -> None:
    embedded.put(f"{SERVERS}/databases", f"{server.resource.name}/migrated", {"properties": {}})
    who = server.identity()
    service = ServiceIdentity("consent", uuid.UUID(who.object_id), uuid.uuid4())
    engine = create_engine("postgresql+psycopg://", connect_args=server.options(server.admin, "migrated"))
    for first in (True, False):
        with engine.connect() as connection:
            dialect.lock_application(connection, "migrate")
            connection.commit()
            assert database_users.create(connection, service) is first
            connection.commit()
            migrate.upgrade(connection, "consent")
            connection.commit()
            database_users.grant(connection, service)
            connection.commit()
    engine.dispose()
    with server.connect(who, "migrated") as session:
        (tables,) = session.execute(
            "SELECT array_agg(tablename::text) FROM pg_tables WHERE schemaname = 'public'"
        ).fetchone() or ([],)
        assert set(tables) > {"alembic_version"}
        for each in set(tables) - {"alembic_version"}:
            session.execute(psycopg.sql.SQL("SELECT * FROM {}").format(psycopg.sql.Identifier(each)))
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            session.execute("SELECT * FROM alembic_version")
    for database in ("consent", "account"):
        with pytest.raises(psycopg.OperationalError, match="Login failed"):
            server.connect(who, database)
