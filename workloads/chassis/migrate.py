"""Makes a database ready for its service: ``python -m workloads.chassis.migrate <service>``.

Run as the database administrator's identity before the service rolls, with ``DATABASE_URL``, ``SERVICE_OBJECT_ID``,
``SERVICE_CLIENT_ID`` and ``SERVICE_NAME``. Creates the service identity's user, runs the Alembic migrations, grants the
user this database's rows and nothing else, labels sensitive columns. Safe to run again and side by side: a lock in the
database lets one at a time through.
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
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError
from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_exponential

from workloads.chassis import database_users, dialect, sensitivity
from workloads.chassis.database import Database
from workloads.chassis.database_users import ServiceIdentity
from workloads.chassis.settings import DataSettings, SettingsError

_WORKLOADS = Path(__file__).resolve().parent.parent
_PATIENCE_SECONDS = 60
"""A new role assignment or server takes a while until it lets us in."""


class MigrationSettings(DataSettings):
    """What the migration is told."""

    service_object_id: uuid.UUID = Field(description="object id (a GUID) of the service's identity")
    service_client_id: uuid.UUID = Field(description="client id (a GUID) of the service's identity")
    service_name: str = Field(pattern="^[a-z0-9-]{1,63}$", description="the service's name, e.g. bank-aurora")


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


def migrate(service: str, settings: MigrationSettings) -> None:
    """User, migrations, rights, labels; a line of progress each."""
    start = time.monotonic()

    def tell(what: str) -> None:
        print(f"migrate {settings.service_name}: {what} ({time.monotonic() - start:.1f} s)", flush=True)

    database = Database(settings.database_url, settings.ssl_cert_file)
    retry = Retrying(
        stop=stop_after_delay(_PATIENCE_SECONDS),
        wait=wait_exponential(0.5, max=5),
        # Drivers differ in which of their errors says that a sign-in was refused, or a database is waking up.
        retry=retry_if_exception_type(DBAPIError),
        before_sleep=lambda _: tell("the database does not let us in yet, trying again"),
        reraise=True,
    )
    retry(database.ping)
    tell("connected")
    with database.engine.connect() as connection:
        dialect.lock_application(connection, "migrate")
        connection.commit()  # the lock is the session's: it outlives this transaction
        identity = ServiceIdentity(settings.service_name, settings.service_object_id, settings.service_client_id)
        created = database_users.create(connection, identity)
        connection.commit()
        tell(f"user of {identity.object_id} {'created' if created else 'exists'}")
        upgrade(connection, service)
        connection.commit()
        tell("migrations are up to date")
        database_users.grant(connection, identity)
        connection.commit()
        tell("rights granted")
        labelled = sensitivity.classify(connection, service)
        connection.commit()
        tell(f"{labelled} columns labelled")
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
    except DBAPIError as error:
        print(f"migrate: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
