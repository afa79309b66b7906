"""What the transaction service is asked and what it answers."""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictBool

from workloads.chassis import uk_numbers
from workloads.chassis.money import decimal
from workloads.services.transaction import sealed_ibans, store
from workloads.services.transaction.models import MatchSuggestion, Transaction


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
    counterparty_iban: str | None = Field(description="the other side's", examples=["DE89370400440532013000"])
    counterparty_uk_number: str | None = Field(
        description="the other side's sort code and account number", examples=["20-20-15 55555555"]
    )
    remittance: str | None = Field(examples=["Kartenzahlung"])
    category: str | None = Field(description="as enrichment says, soon after it was read", examples=["groceries"])
    merchant: str | None = Field(examples=["backhaus-sommer"])
    transfer_id: uuid.UUID | None = Field(description="the other side, of a transfer between the person's accounts")
    formerly: uuid.UUID | None = Field(description="the pending transaction that it was, as the person said")

    @classmethod
    def of(cls, row: Transaction, opener: sealed_ibans.Opener) -> TransactionView:
        """A transaction: as the ledger holds it, so not validated again."""
        return cls.model_construct(**shown({name: getattr(row, name) for name in store.SHOWN}, opener))


def shown(row: Mapping[str, Any], opener: sealed_ibans.Opener) -> dict[str, Any]:
    """What a ``TransactionView`` says of a row of ``store.page``."""
    counterparty, remittance, iban, uk_number = opener.texts(row)
    return {
        "id": row["id"], "account_id": row["account_id"], "bank": row["bank"], "status": row["status"],
        "date": row["date"], "booking_date": row["booking_date"], "value_date": row["value_date"],
        "minor": row["minor"], "currency": row["currency"], "decimal": decimal(row["minor"], row["currency"]),
        "counterparty": counterparty, "counterparty_iban": iban,
        "counterparty_uk_number": uk_numbers.spelled(uk_number) if uk_number else None, "remittance": remittance,
        "category": row["category"], "merchant": row["merchant"], "transfer_id": row["transfer_id"],
        "formerly": row["formerly"],
    }  # fmt: skip


class ChangeView(BaseModel):
    """A transaction as of a revision of the ledger, without the IBANs that were told with it."""

    id: uuid.UUID
    account_id: uuid.UUID
    revision: int = Field(examples=[1024])
    state: Literal["listed", "withdrawn", "deleted"]
    status: Literal["booked", "pending"]
    date: datetime.date
    minor: int = Field(examples=[-480])
    currency: str = Field(examples=["EUR"])
    counterparty: str | None = Field(examples=["Backhaus Sommer"])
    counterparty_index: str | None = Field(
        description="stands for the other side's account number: the same for the same one", examples=["3f09c1a87be42"]
    )
    remittance: str | None = Field(examples=["Kartenzahlung"])
    transfer: bool = Field(description="between the person's own accounts, by their numbers or by both sides")
    formerly: uuid.UUID | None = Field(description="the pending transaction that it was, as the person said")


def change(row: Mapping[str, Any]) -> dict[str, Any]:
    """What a ``ChangeView`` says of a row of ``store.changes``."""
    return {
        "id": row["id"], "account_id": row["account_id"], "revision": row["revision"], "state": row["state"],
        "status": row["status"], "date": row["date"], "minor": row["minor"], "currency": row["currency"],
        "counterparty": sealed_ibans.without(row["counterparty"]), "counterparty_index": row["counterparty_index"],
        "remittance": sealed_ibans.without(row["remittance"]),
        "transfer": row["transfer_id"] is not None or row["with_own"], "formerly": row["formerly"],
    }  # fmt: skip


class ChangeList(BaseModel):
    """Changes, oldest first. complete: whether there are no later ones; else ask again after the last revision."""

    changes: list[ChangeView]
    complete: bool


class SuggestionView(BaseModel):
    """Two transactions that may be one."""

    id: uuid.UUID
    pending_id: uuid.UUID
    booked_id: uuid.UUID
    created: datetime.datetime

    @classmethod
    def of(cls, row: MatchSuggestion) -> SuggestionView:
        """As it was kept."""
        return cls(id=row.id, pending_id=row.pending_id, booked_id=row.booked_id, created=row.created)


class SuggestionList(BaseModel):
    """The newest hundred, newest first."""

    suggestions: list[SuggestionView]


class Decision(BaseModel):
    """What the person says. same: the pending one has become the booked one."""

    model_config = ConfigDict(extra="forbid")
    same: StrictBool


class TransactionPage(BaseModel):
    """A page of the history, newest first."""

    transactions: list[TransactionView]
    next_cursor: str | None = Field(description="null on the last page", examples=["WyIyMDI2LTExLTIzIiw5XQ"])


class SynchronisationRequest(BaseModel):
    """How to synchronise. attended: the person asked for it, and is told to the banks as present.

    account_ids: only these accounts; null reads all that are connected.
    """

    model_config = ConfigDict(extra="forbid")
    attended: StrictBool = True
    account_ids: list[uuid.UUID] | None = Field(default=None, max_length=200)


class SynchronisedAccount(BaseModel):
    """What an account's list changed."""

    account_id: uuid.UUID
    bank: str = Field(examples=["borealis"])
    added: int
    updated: int = Field(description="pending ones that were booked, and corrections")
    removed: int = Field(description="pending ones that the bank withdrew, and booked ones that it lists no more")
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
