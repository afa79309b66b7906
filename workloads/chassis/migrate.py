"""Makes a database ready for its service: ``python -m workloads.chassis.migrate <service>``.

Run as the database administrator's identity before the service rolls, with ``DATABASE_URL``, ``SERVICE_OBJECT_ID``
and ``SERVICE_NAME``. Creates the service identity's role, runs the Alembic migrations, grants the role this database's
rows and nothing else. Safe to run again and side by side: a lock in the database lets one at a time through.
"""

from __future__ import annotations

import os
import sys
import time
import uuid
from pathlib import Path

from alembic import command
from alembic.config import Config
from pydantic import Field
from sqlalchemy import Connection, func, select, text
from sqlalchemy.exc import OperationalError
from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_exponential

from workloads.chassis import dialect
from workloads.chassis.database import Database
from workloads.chassis.settings import DataSettings, SettingsError

_WORKLOADS = Path(__file__).resolve().parent.parent
_PATIENCE_SECONDS = 60
"""A new role assignment or server takes a while until it lets us in."""


class MigrationSettings(DataSettings):
    """What the migration is told."""

    service_object_id: uuid.UUID = Field(description="object id (a GUID) of the service's identity")
    service_name: str = Field(pattern="^[a-z0-9-]{1,63}$", description="the service's name, e.g. bank-aurora")


class Unsupported(RuntimeError):
    """The database's dialect has no variant of this step yet."""


def configuration(service: str) -> Config:
    """Alembic's configuration for a service's migrations. Raises ValueError when there is no such service."""
    folder = _WORKLOADS / "services" / service / "migrations"
    if not folder.is_dir():
        known = sorted(each.parent.name for each in (_WORKLOADS / "services").glob("*/migrations"))
        raise ValueError(f"{service!r} has no migrations; allowed: {', '.join(known)}")
    config = Config()
    config.set_main_option("script_location", str(_WORKLOADS / "chassis" / "migrations"))
    config.set_main_option("version_locations", str(folder))
    config.set_main_option("path_separator", "newline")
    return config


def upgrade(connection: Connection, service: str) -> None:
    """Run the migrations that this database has not had."""
    config = configuration(service)
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def sql(service: str, dialect_name: str) -> None:
    """Print all migrations of a service as SQL of a dialect: for review, and for Azure SQL's compile test."""
    config = configuration(service)
    config.attributes["dialect"] = dialect_name
    command.upgrade(config, "head", sql=True)


def create_role(connection: Connection, role: str) -> bool:
    """Create the identity's login role where it is missing; whether it was.

    The local database's proxy opens a session as the role that is named by the token's object id, so the name is all
    there is to an identity; the role has no password.
    """
    if connection.dialect.name != "postgresql":
        raise Unsupported(
            f"Creating a role for an Entra identity on {connection.dialect.name} "
            "(CREATE USER … FROM EXTERNAL PROVIDER) comes with the Azure SQL deployment. "
            "Create the user by hand until then."
        )
    known = connection.scalar(text("SELECT count(*) FROM pg_catalog.pg_roles WHERE rolname = :role"), {"role": role})
    if not known:
        connection.execute(text(f"CREATE ROLE {_quoted(connection, role)} LOGIN"))
    return not known


def grant(connection: Connection, role: str) -> None:
    """Let the role connect here and read and write rows; take connecting from everyone else. No DDL."""
    database, name = _quoted(connection, str(connection.scalar(select(func.current_database())))), role
    role = _quoted(connection, name)
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


def migrate(service: str, settings: MigrationSettings) -> None:
    """Role, migrations, rights; a line of progress each."""
    start = time.monotonic()

    def tell(what: str) -> None:
        print(f"migrate {settings.service_name}: {what} ({time.monotonic() - start:.1f} s)", flush=True)

    database = Database(settings.database_url, settings.ssl_cert_file)
    retry = Retrying(
        stop=stop_after_delay(_PATIENCE_SECONDS),
        wait=wait_exponential(0.5, max=5),
        retry=retry_if_exception_type(OperationalError),
        before_sleep=lambda _: tell("the database does not let us in yet, trying again"),
        reraise=True,
    )
    retry(database.ping)
    tell("connected")
    with database.engine.connect() as connection:
        dialect.lock_application(connection, "migrate")
        connection.commit()  # the lock is the session's: it outlives this transaction
        role = str(settings.service_object_id)
        created = create_role(connection, role)
        connection.commit()
        tell(f"role {role} {'created' if created else 'exists'}")
        upgrade(connection, service)
        connection.commit()
        tell("migrations are up to date")
        grant(connection, role)
        connection.commit()
        tell("rights granted")
    database.close()


def main(arguments: list[str]) -> int:
    """The command; 2 when it was called wrongly, 1 when the database refused."""
    if len(arguments) != 1:
        print("usage: python -m workloads.chassis.migrate <service>", file=sys.stderr)
        return 2
    try:
        migrate(arguments[0].replace("-", "_"), MigrationSettings.load(os.environ))
    except (SettingsError, ValueError) as error:
        print(f"migrate: {error}", file=sys.stderr)
        return 2
    except (Unsupported, OperationalError) as error:
        print(f"migrate: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
