"""Real servers for the tests: PostgreSQL, a token issuer, and a service over HTTP in a thread."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import psycopg
import uvicorn
from fastapi import FastAPI
from joserfc import jwt
from joserfc.jwk import RSAKey

from local.azure.dataplanes import sql_cluster
from tests import programs
from workloads.chassis import migrate
from workloads.chassis.migrate import MigrationSettings
from workloads.chassis.run import KEPT_SECONDS
from workloads.chassis.scopes import Scope

AUDIENCE = "api://tributary"
ADMINISTRATOR = "administrator"
"""The role that migrates, as the database's Entra administrator: it creates roles and owns databases, no more."""
TENANT = "11111111-2222-4333-8444-555555555555"


@dataclass(frozen=True)
class Postgres:
    """A PostgreSQL server on a Unix socket, trusting who can reach it: credentials are given in each URL."""

    socket_folder: Path

    def url(self, database: str, role: str = ADMINISTRATOR) -> str:
        return f"postgresql+psycopg://{role}@/{database}?host={self.socket_folder}"

    def create(self, database: str) -> None:
        with psycopg.connect(host=str(self.socket_folder), user="postgres", autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{database}" OWNER {ADMINISTRATOR}')  # type: ignore[arg-type]

    def service_url(self, service: str, database: str) -> str:
        """A migrated database, and the URL of the role that the service may use: not the administrator's."""
        self.create(database)
        role = uuid.uuid5(uuid.NAMESPACE_DNS, database)
        settings = MigrationSettings(
            database_url=self.url(database),
            service_object_id=role,
            service_client_id=uuid.uuid4(),
            service_name=database.replace("_", "-"),
        )
        migrate.migrate(service, settings)
        return self.url(database, str(role))


@contextmanager
def postgres(folder: Path, *, durable: bool = False) -> Iterator[Postgres]:
    """A server of its own in a folder. Skips the test where the toolchain has not run.

    durable: whether a commit is on disk before it is answered; most tests need not wait for that.
    """
    bin_folder = Path(programs.needed("postgres")["postgres"])
    if (owner := sql_cluster.account()) is not None:
        shutil.chown(folder, owner.pw_uid, owner.pw_gid)
    folder.chmod(0o755)
    data = folder / "data"
    quiet: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": folder}
    initdb = [*sql_cluster.unprivileged(), bin_folder / "initdb", "-D", data, "-A", "trust", "-U", "postgres", "-N"]
    subprocess.run(initdb, check=True, **quiet)
    settings = ["listen_addresses=", "shared_buffers=16MB", "max_connections=200", f"fsync={durable}"]
    options = [part for each in settings for part in ("-c", each)]
    command = [*sql_cluster.unprivileged(), bin_folder / "postgres", "-D", data, "-k", folder, *options]
    server = subprocess.Popen(command, **quiet)
    try:
        _wait_for_socket(folder / ".s.PGSQL.5432", server)
        with psycopg.connect(host=str(folder), user="postgres", autocommit=True) as connection:
            connection.execute(f"CREATE ROLE {ADMINISTRATOR} LOGIN CREATEROLE")  # type: ignore[arg-type]
        yield Postgres(folder)
    finally:
        server.send_signal(2)  # SIGINT: PostgreSQL's fast shutdown
        server.wait(20)


def _wait_for_socket(path: Path, server: subprocess.Popen[Any]) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and server.poll() is None:
        try:
            with psycopg.connect(host=str(path.parent), user="postgres", connect_timeout=1):
                return
        except psycopg.OperationalError:
            time.sleep(0.05)
    raise RuntimeError(f"PostgreSQL did not come up at {path}")


class Issuer:
    """An OpenID issuer: discovery document and keys over HTTP, tokens for the asking. Its keys can be rotated."""

    def __init__(self, name: str = f"https://sts.example/{TENANT}/") -> None:
        self.name = name
        self.keys = [self._key()]
        self.key_requests = 0
        issuer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                documents = {"/.well-known/openid-configuration": issuer.discovery, "/keys": issuer.key_set}
                body = json.dumps(documents[self.path]()).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    @staticmethod
    def _key() -> RSAKey:
        return RSAKey.generate_key(2048, {"kid": uuid.uuid4().hex, "use": "sig"})

    def discovery(self) -> dict[str, str]:
        return {"issuer": self.name, "jwks_uri": f"{self.url}/keys"}

    def key_set(self) -> dict[str, Any]:
        self.key_requests += 1
        return {"keys": [key.as_dict(private=False) for key in self.keys]}

    def rotate(self) -> None:
        self.keys = [self._key()]

    def token(self, person: str, *, key: RSAKey | None = None, **claims: Any) -> str:
        now = int(time.time())
        key = key or self.keys[0]
        payload = {
            "iss": self.discovery()["issuer"], "aud": AUDIENCE, "sub": person, "tid": TENANT,
            "oid": str(self.object_id(person)), "scp": " ".join(Scope), "iat": now, "nbf": now, "exp": now + 600,
            **claims,
        }  # fmt: skip
        return jwt.encode({"alg": "RS256", "kid": key.kid}, payload, key)

    def pseudonym(self, person: str) -> uuid.UUID:
        """The user that the services know the person as."""
        return uuid.uuid5(uuid.NAMESPACE_URL, f"{TENANT}/{self.object_id(person)}")

    def object_id(self, name: str) -> uuid.UUID:
        """Of a person, or of a service's identity."""
        return uuid.uuid5(uuid.NAMESPACE_DNS, name)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@dataclass
class Servers:
    """Services over HTTP, each in a thread with a port of its own."""

    running: list[tuple[uvicorn.Server, threading.Thread]] = field(default_factory=list)

    @staticmethod
    def claim() -> tuple[socket.socket, str]:
        """A listening address, before there is an application for it."""
        # Named, or asyncio takes it for none of TCP's and leaves Nagle's algorithm on: 40 ms an answer.
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", 0))
        return listener, f"http://127.0.0.1:{listener.getsockname()[1]}"

    def serve(self, app: FastAPI, listener: socket.socket | None = None) -> str:
        """Serve an application; its base URL."""
        listener, url = (listener, f"http://127.0.0.1:{listener.getsockname()[1]}") if listener else self.claim()
        config = uvicorn.Config(app, log_config=None, access_log=False, lifespan="on", timeout_keep_alive=KEPT_SECONDS)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        deadline = time.monotonic() + 10
        while not server.started and time.monotonic() < deadline:
            time.sleep(0.01)
        assert server.started, "the service did not start within 10 s"
        self.running.append((server, thread))
        return url

    def close(self) -> None:
        for server, _ in self.running:
            server.should_exit = True
        for _, thread in self.running:
            thread.join(10)
