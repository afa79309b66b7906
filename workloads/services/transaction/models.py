"""The ledger's tables: transactions, each user's revision, how far accounts were synchronised, matches suggested."""

from __future__ import annotations

import datetime
import uuid

from sqlalchemy import BigInteger, Identity, Index, LargeBinary, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from workloads.chassis import ids
from workloads.chassis.schema import TYPES, Owned, Text, metadata


class Base(DeclarativeBase):
    """The ledger's tables."""

    metadata = metadata()
    type_annotation_map = TYPES


class Transaction(Owned, Base):
    """A transaction. sequence: the order among those of one date. key: what the bank's next list recognises it by.

    state: listed; withdrawn by the bank; deleted by the person. revision: of the user's ledger when it last changed.
    date: that it is listed under. minor: signed minor units. search: its texts, folded. category, merchant: as
    enrichment says, at that version of its facts. transfer_id: the other side of a transfer between the person's
    accounts. formerly: the pending transaction that it was, when the person said so.
    ibans: the other side's and those of the texts, sealed; in the texts blind indexes stand for them (sealed_ibans.py).
    counterparty_index: of the other side's. iban_indexes: of all of them, separated by spaces.
    with_own: whether the other side is another account of the person's, by its IBAN.
    missing: when a list was first asked for that lacks it, of those since it was told last; None while it is told.
    """

    __tablename__ = "ledger_transaction"
    __table_args__ = (
        UniqueConstraint("account_id", "key", name="uq_ledger_transaction_key"),
        Index("ix_ledger_transaction_page", "user_id", "state", "date", "sequence"),
        Index("ix_ledger_transaction_account", "account_id", "date"),
        Index("ix_ledger_transaction_revision", "user_id", "revision"),
    )
    sequence: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    id: Mapped[uuid.UUID] = mapped_column(unique=True, default=ids.new_id)
    account_id: Mapped[uuid.UUID]
    bank: Mapped[str] = mapped_column(Text(40))
    key: Mapped[str] = mapped_column(Text(100))
    status: Mapped[str] = mapped_column(Text(10))
    state: Mapped[str] = mapped_column(Text(10))
    revision: Mapped[int] = mapped_column(BigInteger)
    date: Mapped[datetime.date]
    booking_date: Mapped[datetime.date | None]
    value_date: Mapped[datetime.date | None]
    minor: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(Text(3))
    counterparty: Mapped[str | None] = mapped_column(Text(140))
    remittance: Mapped[str | None] = mapped_column(Text(1000))
    search: Mapped[str] = mapped_column(Text(1200))
    ibans: Mapped[bytes | None] = mapped_column(LargeBinary)
    counterparty_index: Mapped[str | None] = mapped_column(Text(13))
    iban_indexes: Mapped[str | None] = mapped_column(Text(1500))
    category: Mapped[str | None] = mapped_column(Text(60))
    merchant: Mapped[str | None] = mapped_column(Text(80))
    category_version: Mapped[int] = mapped_column(BigInteger, default=0)
    transfer_id: Mapped[uuid.UUID | None]
    with_own: Mapped[bool] = mapped_column(default=False)
    formerly: Mapped[uuid.UUID | None]
    transaction_id: Mapped[str | None] = mapped_column(Text(200))
    entry_reference: Mapped[str | None] = mapped_column(Text(200))
    missing: Mapped[datetime.datetime | None]
    imported: Mapped[datetime.datetime]
    changed: Mapped[datetime.datetime]


class Ledger(Owned, Base):
    """A user's ledger. Locked while it changes, so that whoever reads up to a revision has seen all before it."""

    __tablename__ = "ledger"
    user_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    revision: Mapped[int] = mapped_column(BigInteger)


class Synchronised(Owned, Base):
    """Until when an account's bank was read. digest: blind index of the list that was taken over last; at: asked for.

    entries, unreadable: how many of it are in the ledger, and how many were left out.
    """

    __tablename__ = "synchronised_account"
    account_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    until: Mapped[datetime.date | None]
    digest: Mapped[str | None] = mapped_column(Text(64), default=None)
    entries: Mapped[int] = mapped_column(default=0)
    unreadable: Mapped[int] = mapped_column(default=0)
    at: Mapped[datetime.datetime]


class OwnAccount(Owned, Base):
    """An account of the person's with a number known everywhere. iban_index: blind index of its IBAN.

    uk_index: of its sort code and account number.
    """

    __tablename__ = "own_account"
    __table_args__ = (Index("ix_own_account_user_id", "user_id"),)
    account_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    iban_index: Mapped[str | None] = mapped_column(Text(13))
    uk_index: Mapped[str | None] = mapped_column(Text(13))


class MatchSuggestion(Owned, Base):
    """A pending transaction and a booked one that it may have become: the person decides."""

    __tablename__ = "match_suggestion"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=ids.new_id)
    pending_id: Mapped[uuid.UUID]
    booked_id: Mapped[uuid.UUID]
    created: Mapped[datetime.datetime]
