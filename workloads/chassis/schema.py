"""Tables: the declarative base, column types the same on PostgreSQL and Azure SQL, and rows owned by a user."""

from __future__ import annotations

import datetime
import uuid
from typing import Any

from sqlalchemy import DateTime, Dialect, MetaData, Unicode, Uuid
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import TypeDecorator

from workloads.chassis import ids

_NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class UtcDateTime(TypeDecorator[datetime.datetime]):
    """An aware UTC time: timestamptz on PostgreSQL, datetimeoffset on Azure SQL. Refuses naive values."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime.datetime | None, dialect: Dialect) -> datetime.datetime | None:
        """To the database, in UTC. Raises ValueError for a naive time."""
        if value is not None and value.tzinfo is None:
            raise ValueError("a naive time can't be stored; use workloads.chassis.clock.now()")
        return value.astimezone(datetime.UTC) if value else None

    def process_result_value(self, value: datetime.datetime | None, dialect: Dialect) -> datetime.datetime | None:
        """From the database, in UTC."""
        return value.astimezone(datetime.UTC) if value else None


def Text(length: int) -> Unicode:
    """Text of at most so many characters: varchar on PostgreSQL, nvarchar on Azure SQL."""
    return Unicode(length)


TYPES: dict[Any, Any] = {datetime.datetime: UtcDateTime(), uuid.UUID: Uuid()}
"""Column types by annotation."""


def metadata() -> MetaData:
    """A service's own set of tables; constraints have names, so that migrations can name them."""
    return MetaData(naming_convention=_NAMES)


class Owned:
    """A row that belongs to a user. The session binds every statement on it to its user, see ``database.py``."""

    user_id: Mapped[uuid.UUID] = mapped_column(Uuid())


class Identified:
    """A row with an identifier of ours (UUIDv7)."""

    id: Mapped[uuid.UUID] = mapped_column(Uuid(), primary_key=True, default=ids.new_id)
