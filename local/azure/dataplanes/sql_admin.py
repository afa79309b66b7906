"""What ARM's SQL resources do inside the PostgreSQL cluster: roles and databases, as the cluster's superuser."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import psycopg
from psycopg import sql

from local.azure.context import ArmError
from local.azure.dataplanes import sql_names
from local.azure.dataplanes.sql_cluster import SUPERUSER, Socket

_LOG = logging.getLogger(__name__)
_PATIENCE = 30.0  # seconds that a starting or restarting cluster is waited for
_UUID = "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"


class ClusterAdmin:
    """Creates and drops; every method may be repeated. All raise ArmError 503 while the cluster is down."""

    def __init__(self, backend: Socket) -> None:
        self._backend = backend
        self._turn = asyncio.Lock()  # PostgreSQL refuses some concurrent changes of its shared catalogues

    async def create_server(self, server: str) -> None:
        """The role that the Entra administrator acts as: it creates roles and owns the databases, no more."""
        owner = sql_names.owner(server)
        async with self._session() as session:
            found = await session.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [owner])
            if await found.fetchone() is None:
                await session.execute(sql.SQL("CREATE ROLE {} LOGIN CREATEROLE").format(sql.Identifier(owner)))

    async def drop_server(self, server: str) -> None:
        """Its databases, its administrator's role, and the identities' roles that no database needs any more."""
        owner = sql_names.owner(server)
        async with self._session() as session:
            found = await session.execute(
                "SELECT datname FROM pg_database JOIN pg_roles r ON r.oid = datdba WHERE rolname = %s", [owner]
            )
            for (name,) in await found.fetchall():
                await _drop(session, name)
            found = await session.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [owner])
            if await found.fetchone() is not None:
                await session.execute(sql.SQL("DROP OWNED BY {} CASCADE").format(sql.Identifier(owner)))
                await session.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(owner)))
            unneeded = await session.execute(
                "SELECT rolname FROM pg_roles r WHERE rolname ~ %s AND NOT EXISTS"
                " (SELECT 1 FROM pg_shdepend d WHERE d.refclassid = 'pg_authid'::regclass AND d.refobjid = r.oid)",
                [_UUID],
            )
            for (name,) in await unneeded.fetchall():
                await session.execute(sql.SQL("DROP ROLE IF EXISTS {}").format(sql.Identifier(name)))

    async def create_database(self, server: str, name: str) -> None:
        """A database that nobody but its owner may enter until the owner grants CONNECT."""
        database = sql.Identifier(sql_names.database(server, name))
        owner = sql.Identifier(sql_names.owner(server))
        async with self._session() as session:
            found = await session.execute(
                "SELECT 1 FROM pg_database WHERE datname = %s", [sql_names.database(server, name)]
            )
            if await found.fetchone() is None:
                await session.execute(
                    sql.SQL("CREATE DATABASE {} OWNER {} ALLOW_CONNECTIONS false").format(database, owner)
                )
            await session.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(database))
            await session.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS true").format(database))

    async def drop_database(self, server: str, name: str) -> None:
        """Drop it, whoever is connected."""
        async with self._session() as session:
            await _drop(session, sql_names.database(server, name))

    @asynccontextmanager
    async def _session(self) -> AsyncIterator[psycopg.AsyncConnection]:
        async with self._turn:
            session = await self._connect()
            try:
                yield session
            finally:
                await session.close()

    async def _connect(self) -> psycopg.AsyncConnection:
        deadline = asyncio.get_running_loop().time() + _PATIENCE
        while True:
            try:
                return await psycopg.AsyncConnection.connect(
                    host=self._backend.folder, user=SUPERUSER, dbname="postgres", autocommit=True
                )
            except (psycopg.OperationalError, OSError) as error:
                if asyncio.get_running_loop().time() > deadline:
                    _LOG.warning("PostgreSQL does not answer on %s: %s", self._backend.folder, error)
                    raise ArmError(
                        503,
                        "ServiceUnavailable",
                        f"PostgreSQL did not answer within {_PATIENCE:.0f} s. See postgres.log in the log folder; "
                        "`make up` starts it again.",
                    ) from None
                await asyncio.sleep(0.2)


async def _drop(session: psycopg.AsyncConnection, database: str) -> None:
    await session.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(database)))
