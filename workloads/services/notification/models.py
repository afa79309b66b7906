"""The notification service's tables: facts of transactions, preferences, and what each person was told."""

from __future__ import annotations

import datetime
import uuid

from sqlalchemy import JSON, Index, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from workloads.chassis import ids
from workloads.chassis.facts import FactColumns
from workloads.chassis.schema import TYPES, Owned, Text, metadata


class Base(DeclarativeBase):
    """The notification service's tables."""

    metadata = metadata()
    type_annotation_map = TYPES


class Fact(Owned, FactColumns, Base):
    """A fact of a transaction: what is unusual is seen against the past."""

    __tablename__ = "fact"


class Preference(Owned, Base):
    """How a person wants to be told. quiet_from, quiet_to: local times, "22:00"; the same means never quiet.

    muted: kinds that are not told, separated by commas.
    """

    __tablename__ = "preference"
    user_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    timezone: Mapped[str] = mapped_column(Text(40))
    language: Mapped[str] = mapped_column(Text(5))
    quiet_from: Mapped[str] = mapped_column(Text(5))
    quiet_to: Mapped[str] = mapped_column(Text(5))
    muted: Mapped[str] = mapped_column(Text(200))


class Notification(Owned, Base):
    """Something a person is told. period: what it is about, told once. delivered: None while it waits for quiet hours.

    about: ids, amounts and dates that its text is made of.
    """

    __tablename__ = "notification"
    __table_args__ = (
        UniqueConstraint("user_id", "kind", "period", name="uq_notification_period"),
        Index("ix_notification_user_id_created", "user_id", "created"),
    )
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=ids.new_id)
    kind: Mapped[str] = mapped_column(Text(30))
    period: Mapped[str] = mapped_column(Text(120))
    about: Mapped[dict[str, object]] = mapped_column(JSON)
    created: Mapped[datetime.datetime]
    delivered: Mapped[datetime.datetime | None]
    read: Mapped[datetime.datetime | None]
