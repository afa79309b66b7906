"""What the transaction service is asked and what it answers."""

from __future__ import annotations

import datetime
import uuid
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from workloads.chassis.money import Money
from workloads.services.transaction.models import Transaction


class TransactionView(BaseModel):
    """A transaction."""

    id: uuid.UUID
    account_id: uuid.UUID
    bank: str = Field(examples=["aurora"])
    status: Literal["booked", "pending"]
    date: datetime.date = Field(description="that it is listed under: booked, else value date, else first seen")
    booking_date: datetime.date | None
    value_date: datetime.date | None
    minor: int = Field(description="signed minor units; negative was paid", examples=[-480])
    currency: str = Field(examples=["EUR"])
    decimal: str = Field(examples=["-4.80"])
    counterparty: str | None = Field(examples=["Backhaus Sommer"])
    remittance: str | None = Field(examples=["Kartenzahlung"])

    @classmethod
    def of(cls, row: Transaction) -> TransactionView:
        """As it stands in the ledger."""
        status: Any = row.status
        return cls(
            id=row.id, account_id=row.account_id, bank=row.bank, status=status, date=row.date,
            booking_date=row.booking_date, value_date=row.value_date, minor=row.minor, currency=row.currency,
            decimal=str(Money(row.minor, row.currency)), counterparty=row.counterparty, remittance=row.remittance,
        )  # fmt: skip


class TransactionPage(BaseModel):
    """A page of the history, newest first."""

    transactions: list[TransactionView]
    next_cursor: str | None = Field(description="null on the last page", examples=["WyIyMDI2LTExLTIzIiw5XQ"])


class SynchronisationRequest(BaseModel):
    """How to synchronise. attended: the person asked for it, and is told to the banks as present."""

    model_config = ConfigDict(extra="forbid")
    attended: bool = True


class SynchronisedAccount(BaseModel):
    """What an account's list changed."""

    account_id: uuid.UUID
    bank: str = Field(examples=["borealis"])
    added: int
    updated: int = Field(description="pending ones that were booked, and corrections")
    removed: int = Field(description="pending ones that the bank withdrew")
    unchanged: int
    unreadable: int = Field(description="told by the bank without a readable amount")


class Failure(BaseModel):
    """What could not be read. kind: of the problem, e.g. consent-expired or bank-timeout."""

    bank: str = Field(examples=["aurora"])
    account_id: uuid.UUID | None = None
    kind: str = Field(examples=["bank-timeout"])
    detail: str = Field(examples=["The bank did not answer in time."])


class Synchronisation(BaseModel):
    """What a synchronisation brought. Accounts that failed are as they were before."""

    accounts: list[SynchronisedAccount]
    failures: list[Failure]
