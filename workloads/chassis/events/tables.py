"""The tables that every service with events has: outbox, the relays' turn, inbox."""

from __future__ import annotations

import datetime
import uuid

import sqlalchemy as sa
from sqlalchemy import BigInteger, Identity, UnicodeText
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from workloads.chassis.schema import TYPES, Text, UtcDateTime, metadata

TURN = 1


class Base(DeclarativeBase):
    """The tables of events."""

    metadata = metadata()
    type_annotation_map = TYPES


class OutboxEvent(Base):
    """An event that waits to be published. sequence: the order. refused: why the bus will never take it."""

    __tablename__ = "outbox_event"
    sequence: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    event_id: Mapped[uuid.UUID]
    key: Mapped[str] = mapped_column(Text(40))
    envelope: Mapped[str] = mapped_column(UnicodeText())
    refused: Mapped[str | None] = mapped_column(Text(400))


class RelayTurn(Base):
    """Whoever holds its one row locked is the relay that publishes now: that keeps the order."""

    __tablename__ = "relay_turn"
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)


class HandledEvent(Base):
    """An event that was handled, by its source and id."""

    __tablename__ = "handled_event"
    source: Mapped[str] = mapped_column(Text(60), primary_key=True)
    event_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    at: Mapped[datetime.datetime]


def create() -> None:
    """Create them, in a migration. Frozen: a change of these tables is a function of its own beside this one."""
    from alembic import op  # 11 MB of every service, which only migrations need

    op.create_table(
        "outbox_event",
        sa.Column("sequence", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("key", Text(40), nullable=False),
        sa.Column("envelope", sa.UnicodeText(), nullable=False),
        sa.Column("refused", Text(400), nullable=True),
        sa.PrimaryKeyConstraint("sequence", name="pk_outbox_event"),
    )
    turn = op.create_table(
        "relay_turn",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_relay_turn"),
    )
    op.bulk_insert(turn, [{"id": TURN}])
    op.create_table(
        "handled_event",
        sa.Column("source", Text(60), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("source", "event_id", name="pk_handled_event"),
    )
    op.create_index("ix_handled_event_at", "handled_event", ["at"])
