"""Azure SQL of a test session: PostgreSQL, a server, two databases, and the identities that use them."""

from __future__ import annotations

import os
import signal
import subprocess
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest

from local.azure.context import Principal, Resource
from local.azure.dataplanes import sql
from local.daemon import Daemon
from local.instance import Instance
from tests import programs
from tests.local.azure.dataplanes.conftest import Embedded

SERVERS = "Microsoft.Sql/servers"
AUDIENCE = "https://database.windows.net"


class Backend:
    """A daemon of the instance as the supervisor would run it."""

    def __init__(self, daemon: Daemon, log: Path) -> None:
        self._daemon, self._log = daemon, log
        self.start()

    def start(self) -> None:
        self._log.parent.mkdir(exist_ok=True)
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(
                list(self._daemon.argv),
                cwd=self._daemon.folder,
                env={**os.environ, **self._daemon.environment},
                stdout=log,
                stderr=log,
            )
        deadline = time.monotonic() + 30
        while not self._daemon.ready():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{self._daemon.name} did not start:\n{self._log.read_text()[-4000:]}")
            time.sleep(0.05)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def stop(self) -> None:
        self.process.send_signal(getattr(signal, f"SIG{self._daemon.stop_signal}"))
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.kill()


@dataclass(frozen=True)
class Server:
    """A SQL server with the databases "consent" and "account"; ``admin`` administers it."""

    embedded: Embedded
    resource: Resource
    admin: Principal

    @property
    def port(self) -> int:
        return int(self.resource.properties["fullyQualifiedDomainName"].rpartition(":")[2])

    def token(self, who: Principal, audience: str = AUDIENCE, **claims: Any) -> str:
        async def issue() -> str:
            return self.embedded.daemon.directory.issue(who, audience, claims)

        return self.embedded.run(issue())

    def options(self, who: Principal, database: str, **more: Any) -> dict[str, Any]:
        """How libpq is told to connect: as strictly as it can."""
        fixed = {
            "host": "127.0.0.1",
            "port": self.port,
            "dbname": database,
            "user": "anyone",
            "sslmode": "verify-full",
            "sslrootcert": str(self.embedded.instance.ca_certificate),
            "require_auth": "password",
        }
        return {**fixed, **({} if "password" in more else {"password": self.token(who)}), **more}

    def connect(self, who: Principal, database: str, **more: Any) -> psycopg.Connection:
        return psycopg.connect(autocommit=True, **self.options(who, database, **more))

    def identity(self) -> Principal:
        return self.embedded.identity().principal

    def service(self, *databases: str) -> Principal:
        """An identity that the administrator let into databases, as the migration Job does."""
        who = self.identity()
        with self.connect(self.admin, databases[0]) as session:
            session.execute(f'CREATE ROLE "{who.object_id}" LOGIN'.encode())
            session.execute(f"""COMMENT ON ROLE "{who.object_id}" IS 'a service'""".encode())
        for each in databases:
            with self.connect(self.admin, each) as session:
                name = f"{self.resource.name}/{each}"
                for what in (f'CONNECT ON DATABASE "{name}"', "SELECT, INSERT ON ALL TABLES IN SCHEMA public"):
                    session.execute(f'GRANT {what} TO "{who.object_id}"'.encode())
        return who


def start_postgres(instance: Instance) -> Backend:
    tools = programs.needed("postgres")
    sql.prepare(instance, tools)
    (daemon,) = sql.daemons(instance, tools)
    return Backend(daemon, instance.logs / "postgres.log")


@pytest.fixture(scope="session")
def postgres(embedded: Embedded) -> Iterator[Backend]:
    backend = start_postgres(embedded.instance)
    yield backend
    backend.stop()


def new_server(embedded: Embedded, admin: Principal | None = None) -> Server:
    admin = admin or embedded.identity().principal
    administrators = {
        "administratorType": "ActiveDirectory",
        "login": "database-admins",
        "sid": admin.object_id,
        "azureADOnlyAuthentication": True,
    }
    name = f"sql-{uuid.uuid4().hex[:8]}"
    return Server(embedded, embedded.put(SERVERS, name, {"properties": {"administrators": administrators}}), admin)


@pytest.fixture(scope="session")
def server(embedded: Embedded, postgres: Backend) -> Server:
    made = new_server(embedded)
    for each in ("consent", "account"):
        embedded.put(f"{SERVERS}/databases", f"{made.resource.name}/{each}", {"properties": {}})
        with made.connect(made.admin, each) as session:
            session.execute("CREATE TABLE entry (id int PRIMARY KEY, text text)")
    return made
