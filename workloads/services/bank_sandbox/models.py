"""The bank's tables: consents, authorisations, grants, how often each was used. Its customers are data, not users."""

from __future__ import annotations

import datetime
import uuid
from typing import Any

from sqlalchemy import JSON, ForeignKey
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from workloads.chassis import ids
from workloads.chassis.schema import TYPES, Text, metadata


class Base(DeclarativeBase):
    """The bank's tables."""

    metadata = metadata()
    type_annotation_map = TYPES


class Consent(Base):
    """A consent as the TPP asked for it (access) and as the customer granted it (granted)."""

    __tablename__ = "consent"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=ids.new_id)
    status: Mapped[str] = mapped_column(Text(20))
    access: Mapped[dict[str, Any]] = mapped_column(JSON)
    granted: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    recurring: Mapped[bool]
    valid_until: Mapped[datetime.date]
    frequency: Mapped[int]
    last_action: Mapped[datetime.date]
    customer: Mapped[str | None] = mapped_column(Text(50))
    redirect_uri: Mapped[str | None] = mapped_column(Text(2000))
    nok_redirect_uri: Mapped[str | None] = mapped_column(Text(2000))


class Authorisation(Base):
    """One attempt to authorise a consent. ticket: proves that the page's second step follows its first."""

    __tablename__ = "authorisation"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=ids.new_id)
    consent_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("consent.id"))
    status: Mapped[str] = mapped_column(Text(20))
    ticket: Mapped[uuid.UUID | None]
    customer: Mapped[str | None] = mapped_column(Text(50))
    failures: Mapped[int] = mapped_column(default=0)
    created: Mapped[datetime.datetime]


class Grant(Base):
    """What the authorization server granted for a consent. code, access, refresh: their hashes.

    nonce: None unless the client asked for an ID token beside the code.
    """

    __tablename__ = "oauth_grant"
    consent_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("consent.id"), primary_key=True)
    redirect_uri: Mapped[str] = mapped_column(Text(2000))
    state: Mapped[str | None] = mapped_column(Text(500))
    challenge: Mapped[str] = mapped_column(Text(100))
    client_id: Mapped[str | None] = mapped_column(Text(200))
    nonce: Mapped[str | None] = mapped_column(Text(200))
    code: Mapped[str | None] = mapped_column(Text(100))
    access: Mapped[str | None] = mapped_column(Text(100))
    refresh: Mapped[str | None] = mapped_column(Text(100))
    expires: Mapped[datetime.datetime | None]


class Access(Base):
    """How often a request URI was used without the customer on a day."""

    __tablename__ = "access"
    consent_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    uri: Mapped[str] = mapped_column(Text(200), primary_key=True)
    day: Mapped[datetime.date] = mapped_column(primary_key=True)
    used: Mapped[int]
