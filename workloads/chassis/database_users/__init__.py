"""Database users: the user of a service's identity in the service's own database, a module a dialect."""

from __future__ import annotations

from sqlalchemy import Connection

from workloads.chassis.database_users import mssql, postgresql
from workloads.chassis.database_users.identity import ServiceIdentity

_DIALECTS = {"postgresql": postgresql, "mssql": mssql}


def create(connection: Connection, identity: ServiceIdentity) -> bool:
    """Create the identity's user where it is missing; whether it was. It has no password."""
    return _DIALECTS[connection.dialect.name].create(connection, identity)


def grant(connection: Connection, identity: ServiceIdentity) -> None:
    """Let the user connect here and read and write rows, and nothing else: no DDL."""
    _DIALECTS[connection.dialect.name].grant(connection, identity)
