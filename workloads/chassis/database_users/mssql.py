"""Azure SQL: a contained user for a managed identity, by T-SQL, as ARM knows no database users.

By security identifier and not FROM EXTERNAL PROVIDER: for that the server would ask Microsoft Graph, and when an
application asks it to, it needs the role Directory Readers (MicrosoftDocs/sql-docs#2323). Azure SQL knows a managed
identity by its client id, not its object id (microsoft/aspire#19390, platformplatform/PlatformPlatform#174).
"""

from __future__ import annotations

import uuid

from sqlalchemy import Connection

from workloads.chassis.database_users.identity import ServiceIdentity


def create(connection: Connection, identity: ServiceIdentity) -> bool:
    """Create the user where it is missing; whether it was.

    A user of the name that belongs to an identity of before is replaced: an identity made anew has a new client id.
    """
    known = bool(connection.exec_driver_sql(find_user(identity)).scalar())
    if not known:
        for statement in user_statements(identity):
            connection.exec_driver_sql(statement)
    return not known


def grant(connection: Connection, identity: ServiceIdentity) -> None:
    """Let the user connect and read and write rows."""
    for statement in right_statements(identity):
        connection.exec_driver_sql(statement)


def find_user(identity: ServiceIdentity) -> str:
    """The query that counts the identity's user of its name."""
    return (
        f"SELECT COUNT(*) FROM sys.database_principals WHERE name = {text(identity.name)} "  # noqa: S608
        f"AND sid = {security_identifier(identity.client_id)}"
    )


def user_statements(identity: ServiceIdentity) -> list[str]:
    """T-SQL that makes the user. E: an Entra user or application."""
    name, sid = quoted(identity.name), security_identifier(identity.client_id)
    return [f"DROP USER IF EXISTS {name}", f"CREATE USER {name} WITH SID = {sid}, TYPE = E"]


def right_statements(identity: ServiceIdentity) -> list[str]:
    """T-SQL that gives it its rights; each can be repeated. The schema's cover tables that are made later."""
    name = quoted(identity.name)
    return [
        f"GRANT CONNECT TO {name}",
        f"GRANT SELECT, INSERT, UPDATE, DELETE ON SCHEMA::dbo TO {name}",
        f"DENY SELECT, INSERT, UPDATE, DELETE ON OBJECT::dbo.alembic_version TO {name}",
    ]


def security_identifier(client_id: uuid.UUID) -> str:
    """What CAST(client id AS varbinary(16)) is: SQL Server keeps the first three parts of a GUID little-endian."""
    return f"0x{client_id.bytes_le.hex().upper()}"


def quoted(name: str) -> str:
    """A name as a bracketed identifier."""
    return "[" + name.replace("]", "]]") + "]"


def text(value: str) -> str:
    """A text as a literal."""
    return "N'" + value.replace("'", "''") + "'"
