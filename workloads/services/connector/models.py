"""The connector's tables: consents, tokens and accounts at banks (all sealed), and the ledger of calls."""

from __future__ import annotations

import datetime
import uuid

from sqlalchemy import ForeignKey, LargeBinary, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from workloads.chassis import ids
from workloads.chassis.schema import TYPES, Owned, Text, metadata


class Base(DeclarativeBase):
    """The connector's tables."""

    metadata = metadata()
    type_annotation_map = TYPES


class BankConsent(Owned, Base):
    """A consent at a bank. consent_ref, psu_id: sealed; the bank's own id never leaves the connector.

    consent_ref: None until the bank was asked for it. progress: sealed; how far its authorisation has come.
    """

    __tablename__ = "bank_consent"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=ids.new_id)
    bank: Mapped[str] = mapped_column(Text(40))
    consent_ref: Mapped[bytes | None] = mapped_column(LargeBinary(2000))
    psu_id: Mapped[bytes | None] = mapped_column(LargeBinary(500))
    authorisation_id: Mapped[str | None] = mapped_column(Text(200))
    redirect_uri: Mapped[str] = mapped_column(Text(2000))
    nok_redirect_uri: Mapped[str | None] = mapped_column(Text(2000))
    created: Mapped[datetime.datetime]
    progress: Mapped[bytes | None] = mapped_column(LargeBinary)


class BankToken(Owned, Base):
    """The tokens that a bank gave for a consent, sealed. expires: None where the bank does not say."""

    __tablename__ = "bank_token"
    consent_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("bank_consent.id"), primary_key=True)
    access: Mapped[bytes] = mapped_column(LargeBinary)
    refresh: Mapped[bytes | None] = mapped_column(LargeBinary)
    expires: Mapped[datetime.datetime | None]


class BankAccountRow(Owned, Base):
    """An account under a consent. resource: the bank's id, sealed; resource_index: its blind index."""

    __tablename__ = "bank_account"
    __table_args__ = (UniqueConstraint("consent_id", "resource_index", name="uq_bank_account_resource"),)
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=ids.new_id)
    consent_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("bank_consent.id"))
    resource: Mapped[bytes] = mapped_column(LargeBinary(2000))
    resource_index: Mapped[str] = mapped_column(Text(64))


class Call(Owned, Base):
    """One request to a bank. id: its X-Request-ID. attended: the person asked. status: HTTP's, None when unanswered."""

    __tablename__ = "bank_call"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    bank: Mapped[str] = mapped_column(Text(40))
    consent_id: Mapped[uuid.UUID | None]
    account_id: Mapped[uuid.UUID | None]
    operation: Mapped[str] = mapped_column(Text(40))
    attended: Mapped[bool]
    page: Mapped[int]
    status: Mapped[int | None]
    at: Mapped[datetime.datetime]


class BankHealth(Base):
    """How a bank does, whoever calls it. failures: calls in a row without an answer. called: last, to the minute."""

    __tablename__ = "bank_health"
    bank: Mapped[str] = mapped_column(Text(40), primary_key=True)
    failures: Mapped[int]
    called: Mapped[datetime.datetime]
