"""The sync service's tables: each person's schedule, unattended accesses, and runs."""

from __future__ import annotations

import datetime
import uuid

from sqlalchemy import BigInteger, Identity, Index
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from workloads.chassis import ids
from workloads.chassis.schema import TYPES, Owned, Text, metadata


class Base(DeclarativeBase):
    """The sync service's tables."""

    metadata = metadata()
    type_annotation_map = TYPES


class Schedule(Owned, Base):
    """How often a person's accounts are read. Its row is locked while accesses are counted."""

    __tablename__ = "schedule"
    user_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    enabled: Mapped[bool]
    times_a_day: Mapped[int]


class Access(Owned, Base):
    """An unattended access to an account, written down before it is made."""

    __tablename__ = "access"
    __table_args__ = (Index("ix_access_user_id_account_id", "user_id", "account_id", "at"),)
    sequence: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    account_id: Mapped[uuid.UUID]
    at: Mapped[datetime.datetime]


class Run(Owned, Base):
    """A synchronisation. kinds: of what failed, separated by commas. ended: None while it runs, or when it was cut."""

    __tablename__ = "run"
    __table_args__ = (Index("ix_run_user_id_started", "user_id", "started"),)
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=ids.new_id)
    attended: Mapped[bool]
    started: Mapped[datetime.datetime]
    ended: Mapped[datetime.datetime | None]
    added: Mapped[int]
    updated: Mapped[int]
    removed: Mapped[int]
    kinds: Mapped[str] = mapped_column(Text(400))
