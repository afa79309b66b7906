"""The account service's tables: accounts, and their balances as last told."""

from __future__ import annotations

import datetime
import uuid

from sqlalchemy import BigInteger, ForeignKey, LargeBinary, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from workloads.chassis import ids
from workloads.chassis.schema import TYPES, Owned, Text, metadata


class Base(DeclarativeBase):
    """The account service's tables."""

    metadata = metadata()
    type_annotation_map = TYPES


class Account(Owned, Base):
    """An account. number: IBAN or what stands for it, sealed. identity_index: blind index it is matched on.
    uk_number: whether number is a sort code and an account number.

    consent_id … bank_account_id: how it is reached now. connected: whether a valid consent reaches it.
    """

    __tablename__ = "account"
    __table_args__ = (UniqueConstraint("user_id", "identity_index", name="uq_account_identity"),)
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=ids.new_id)
    identity_index: Mapped[str] = mapped_column(Text(64))
    bank: Mapped[str] = mapped_column(Text(40))
    number: Mapped[bytes | None] = mapped_column(LargeBinary(500))
    uk_number: Mapped[bool] = mapped_column(default=False)
    number_masked: Mapped[str | None] = mapped_column(Text(10))
    currency: Mapped[str | None] = mapped_column(Text(3))
    name: Mapped[str | None] = mapped_column(Text(140))
    kind: Mapped[str | None] = mapped_column(Text(35))
    consent_id: Mapped[uuid.UUID]
    bank_consent_id: Mapped[uuid.UUID]
    bank_account_id: Mapped[uuid.UUID]
    connected: Mapped[bool]
    updated: Mapped[datetime.datetime]


class Balance(Owned, Base):
    """A balance. kind: XS2A's balanceType. minor: signed minor units."""

    __tablename__ = "balance"
    account_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("account.id"), primary_key=True)
    kind: Mapped[str] = mapped_column(Text(40), primary_key=True)
    currency: Mapped[str] = mapped_column(Text(3), primary_key=True)
    minor: Mapped[int] = mapped_column(BigInteger)
    date: Mapped[datetime.date | None]
    read: Mapped[datetime.datetime]
