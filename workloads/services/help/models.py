"""The help service's tables: tickets, and what was written in each."""

from __future__ import annotations

import datetime
import uuid

from sqlalchemy import ForeignKey, Index, LargeBinary
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from workloads.chassis import ids
from workloads.chassis.schema import TYPES, Owned, Text, metadata


class Base(DeclarativeBase):
    """The help service's tables."""

    metadata = metadata()
    type_annotation_map = TYPES


class Ticket(Owned, Base):
    """A question of a person's. subject: sealed. status: open or closed. changed: by its latest message."""

    __tablename__ = "ticket"
    __table_args__ = (Index("ix_ticket_user_id_changed", "user_id", "changed"),)
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=ids.new_id)
    subject: Mapped[bytes] = mapped_column(LargeBinary(1000))
    status: Mapped[str] = mapped_column(Text(10))
    opened: Mapped[datetime.datetime]
    changed: Mapped[datetime.datetime]


class TicketMessage(Owned, Base):
    """Something that was written. author: person or support. text: sealed."""

    __tablename__ = "ticket_message"
    __table_args__ = (Index("ix_ticket_message_ticket_id", "ticket_id"),)
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=ids.new_id)
    ticket_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("ticket.id"))
    at: Mapped[datetime.datetime]
    author: Mapped[str] = mapped_column(Text(10))
    text: Mapped[bytes] = mapped_column(LargeBinary())
