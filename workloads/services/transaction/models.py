"""The ledger's tables: transactions, and how far each account was synchronised."""

from __future__ import annotations

import datetime
import uuid

from sqlalchemy import BigInteger, Identity, Index, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from workloads.chassis import ids
from workloads.chassis.schema import TYPES, Owned, Text, metadata


class Base(DeclarativeBase):
    """The ledger's tables."""

    metadata = metadata()
    type_annotation_map = TYPES


class Transaction(Owned, Base):
    """A transaction. sequence: the order among those of one date. key: what the bank's next list recognises it by.

    date: that it is listed under. minor: signed minor units.
    """

    __tablename__ = "ledger_transaction"
    __table_args__ = (
        UniqueConstraint("account_id", "key", name="uq_ledger_transaction_key"),
        Index("ix_ledger_transaction_page", "user_id", "date", "sequence"),
        Index("ix_ledger_transaction_account", "account_id", "date"),
    )
    sequence: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    id: Mapped[uuid.UUID] = mapped_column(unique=True, default=ids.new_id)
    account_id: Mapped[uuid.UUID]
    bank: Mapped[str] = mapped_column(Text(40))
    key: Mapped[str] = mapped_column(Text(100))
    status: Mapped[str] = mapped_column(Text(10))
    date: Mapped[datetime.date]
    booking_date: Mapped[datetime.date | None]
    value_date: Mapped[datetime.date | None]
    minor: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(Text(3))
    counterparty: Mapped[str | None] = mapped_column(Text(140))
    remittance: Mapped[str | None] = mapped_column(Text(1000))
    transaction_id: Mapped[str | None] = mapped_column(Text(200))
    entry_reference: Mapped[str | None] = mapped_column(Text(200))
    imported: Mapped[datetime.datetime]
    changed: Mapped[datetime.datetime]


class Synchronised(Owned, Base):
    """Until when an account's bank was read. Locked while a list is taken over: one at a time an account."""

    __tablename__ = "synchronised_account"
    account_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    until: Mapped[datetime.date | None]
    at: Mapped[datetime.datetime]
