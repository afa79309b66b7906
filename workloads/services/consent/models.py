"""The consent service's tables: consents, and what happened to each (evidence)."""

from __future__ import annotations

import datetime
import uuid

from sqlalchemy import ForeignKey
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from workloads.chassis import ids
from workloads.chassis.schema import TYPES, Owned, Text, metadata


class Base(DeclarativeBase):
    """The consent service's tables."""

    metadata = metadata()
    type_annotation_map = TYPES


class Consent(Owned, Base):
    """A consent. bank_consent_id: the connector's name for it; the bank's own stays there.

    valid_until: the last day on which the bank takes it; None until it is valid, or where the bank tells none.
    """

    __tablename__ = "consent"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=ids.new_id)
    bank: Mapped[str] = mapped_column(Text(40))
    bank_consent_id: Mapped[uuid.UUID]
    jurisdiction: Mapped[str] = mapped_column(Text(2))
    status: Mapped[str] = mapped_column(Text(20))
    created: Mapped[datetime.datetime]
    authorised: Mapped[datetime.datetime | None]
    checked: Mapped[datetime.datetime]
    valid_until: Mapped[datetime.date | None] = mapped_column(default=None)


class Evidence(Owned, Base):
    """A change of a consent's status: when, to what, on whose word (bank, person, law)."""

    __tablename__ = "consent_evidence"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=ids.new_id)
    consent_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("consent.id"))
    at: Mapped[datetime.datetime]
    status: Mapped[str] = mapped_column(Text(20))
    source: Mapped[str] = mapped_column(Text(10))
