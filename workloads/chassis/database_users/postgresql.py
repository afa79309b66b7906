"""PostgreSQL: the local database's proxy opens a session as the role that the token's object id names."""

from __future__ import annotations

from sqlalchemy import Connection, func, select, text

from workloads.chassis.database_users.identity import ServiceIdentity


def create(connection: Connection, identity: ServiceIdentity) -> bool:
    """Create the role where it is missing; whether it was."""
    role = str(identity.object_id)
    known = connection.scalar(text("SELECT count(*) FROM pg_catalog.pg_roles WHERE rolname = :role"), {"role": role})
    if not known:
        connection.execute(text(f"CREATE ROLE {_quoted(connection, role)} LOGIN"))
    return not known


def grant(connection: Connection, identity: ServiceIdentity) -> None:
    """Let the role connect here and read and write rows; take connecting from everyone else."""
    database = _quoted(connection, str(connection.scalar(select(func.current_database()))))
    role = _quoted(connection, str(identity.object_id))
    for statement in (
        f"REVOKE ALL ON DATABASE {database} FROM PUBLIC",
        "REVOKE ALL ON SCHEMA public FROM PUBLIC",
        f"GRANT CONNECT ON DATABASE {database} TO {role}",
        f"GRANT USAGE ON SCHEMA public TO {role}",
        f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role}",
        f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {role}",
        f"ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {role}",
        f"ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE ON SEQUENCES TO {role}",
        f"REVOKE ALL ON TABLE alembic_version FROM {role}",
    ):
        connection.execute(text(statement))


def _quoted(connection: Connection, name: str) -> str:
    return connection.dialect.identifier_preparer.quote_identifier(name)
