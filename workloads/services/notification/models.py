"""The notification service's tables: transactions' facts, profiles, preferences, what people were told, and devices."""

from __future__ import annotations

import datetime
import uuid

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, LargeBinary, UniqueConstraint
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

    muted: kinds that are not told, separated by commas. timezone, language: None where they are the profile's.
    """

    __tablename__ = "preference"
    user_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    timezone: Mapped[str | None] = mapped_column(Text(40))
    language: Mapped[str | None] = mapped_column(Text(5))
    quiet_from: Mapped[str] = mapped_column(Text(5))
    quiet_to: Mapped[str] = mapped_column(Text(5))
    muted: Mapped[str] = mapped_column(Text(200))


class Profile(Owned, Base):
    """What the user service says of how a person is spoken to. version: the highest is the newest."""

    __tablename__ = "profile"
    user_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(BigInteger)
    timezone: Mapped[str] = mapped_column(Text(40))
    language: Mapped[str] = mapped_column(Text(5))


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


class Device(Owned, Base):
    """A person's app on a phone, or browser. channel: its platform's address of it, sealed; channel_index: blind index.

    installation: its name at the push service. registered: whether that knows of it. leaving: whether it is on its way
    out, and only the push service must still be told.
    """

    __tablename__ = "device"
    __table_args__ = (UniqueConstraint("user_id", "channel_index", name="uq_device_channel"),)
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=ids.new_id)
    platform: Mapped[str] = mapped_column(Text(10))
    channel: Mapped[bytes] = mapped_column(LargeBinary(4000))
    channel_index: Mapped[str] = mapped_column(Text(64))
    installation: Mapped[uuid.UUID]
    registered: Mapped[bool]
    leaving: Mapped[bool]
    created: Mapped[datetime.datetime]


class Push(Owned, Base):
    """A notification for a device. sent: when the push service took it. dropped: when it was given up."""

    __tablename__ = "push"
    __table_args__ = (
        UniqueConstraint("notification_id", "device_id", name="uq_push_notification_device"),
        Index("ix_push_device_id", "device_id"),
    )
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=ids.new_id)
    notification_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("notification.id"))
    device_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("device.id"))
    sent: Mapped[datetime.datetime | None]
    dropped: Mapped[datetime.datetime | None]
