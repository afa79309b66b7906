"""The service's database: driver by the URL's dialect, signed in with the service's Entra token, one user a session."""

from __future__ import annotations

import ssl
import struct
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import URL, Engine, create_engine, event, make_url, select
from sqlalchemy.orm import Session, sessionmaker

from workloads.chassis import tenancy
from workloads.chassis.credential import credential

SCOPE = "https://database.windows.net/.default"
_SQL_COPT_SS_ACCESS_TOKEN = 1256
"""ODBC connection attribute of Microsoft's driver: an Entra access token."""


class UserSession(Session):
    """A session whose every statement on users' rows is bound to its user."""


tenancy.bind(UserSession)


class Database:
    """Connections and sessions of one database.

    url: SQLAlchemy URL. Without a user name in it, each new connection signs in with a fresh Entra token of the
    service's identity, over verified TLS; a user name means that credentials were given explicitly, and no token is
    asked for. roots: PEM file of trusted roots, None for the system's.
    """

    def __init__(self, url: str, roots: str | None = None) -> None:
        self.url = make_url(url)
        self.engine = _engine(self.url, roots)
        self._sessions = sessionmaker(self.engine, class_=UserSession, expire_on_commit=False)

    @contextmanager
    def session(self, user: uuid.UUID | None = None) -> Iterator[Session]:
        """A transaction: committed at the end, rolled back when something is raised.

        user: whose rows it may touch; None for data that belongs to no user.
        """
        with self._sessions(info={tenancy.USER: user}) as session, session.begin():
            yield session

    def on_commit(self, told: Callable[[Session], None]) -> None:
        """Tell of every transaction that was committed. The session takes no further statement then."""
        event.listen(self._sessions, "after_commit", told)

    def on_cut(self, told: Callable[[], None]) -> None:
        """Tell when a connection was found cut: the server was away, or another database was put in its place."""
        event.listen(self.engine, "invalidate", lambda *_: told())

    def ping(self) -> None:
        """Ask the database for an answer. Raises SQLAlchemy's errors when there is none."""
        with self.engine.connect() as connection:
            connection.execute(select(1))

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()


def _engine(url: URL, roots: str | None) -> Engine:
    # Many small pods share a server: few connections each. Pre-ping replaces those a restart has cut.
    options: dict[str, Any] = {"pool_size": 3, "max_overflow": 5, "pool_timeout": 10, "pool_pre_ping": True}
    if url.get_backend_name() == "postgresql":
        options["connect_args"] = {"connect_timeout": 10, "application_name": "tributary"}
    engine = create_engine(url, **options)
    if url.username is None:
        event.listen(engine, "do_connect", _sign_in_mssql if url.get_backend_name() == "mssql" else _sign_in(roots))
    return engine


def _sign_in(roots: str | None) -> Any:
    # libpq looks at no SSL_CERT_FILE: it must be handed the roots.
    trusted = roots or ssl.get_default_verify_paths().cafile or "system"

    def connect(_dialect: Any, _record: Any, _arguments: Any, parameters: dict[str, Any]) -> None:
        token = credential().get_token(SCOPE).token
        parameters |= {"user": "entra", "password": token, "sslmode": "verify-full", "sslrootcert": trusted}

    return connect


def _sign_in_mssql(_dialect: Any, _record: Any, _arguments: Any, parameters: dict[str, Any]) -> None:
    token = credential().get_token(SCOPE).token.encode("utf-16-le")
    packed = struct.pack(f"<I{len(token)}s", len(token), token)
    parameters["attrs_before"] = {_SQL_COPT_SS_ACCESS_TOKEN: packed}
