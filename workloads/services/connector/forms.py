"""What the connector is asked and what it answers."""

from __future__ import annotations

import datetime
import uuid
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from workloads.chassis.authorisation_forms import RETURN_ADDRESS, AccountReference
from workloads.services.connector.parse import BankAccount, Entry
from workloads.services.connector.port import Progress, Step

ReturnAddress = Annotated[
    str,
    Field(
        pattern=RETURN_ADDRESS,
        max_length=2000,
        description="https, or http on loopback",
        examples=["https://app.example/consents/return"],
    ),
]


class BankInfo(BaseModel):
    """A bank that can be connected, and what it wants to know beforehand."""

    id: str = Field(examples=["aurora"])
    name: str = Field(examples=["Aurora Bank"])
    countries: list[str] = Field(examples=[["DE"]])
    jurisdiction: Literal["EU", "UK"]
    sca_approach: Literal["redirect", "oauth", "decoupled", "embedded"]
    psu_id: Literal["never", "optional", "required"]
    accounts_required: bool = Field(description="Whether IBANs must be listed when asking for a consent.")
    bic: str | None = Field(description="ISO 9362, of its head office", examples=["DEUTDEFF"])
    failures: int | None = Field(
        description="calls in a row that it did not answer; null before the first", examples=[0]
    )
    called: datetime.datetime | None = Field(description="when it was last called; to the minute")


class ConsentRequest(BaseModel):
    """Ask a bank for a consent that the person then authorises there."""

    model_config = ConfigDict(extra="forbid")
    redirect_uri: ReturnAddress
    nok_redirect_uri: ReturnAddress | None = None
    psu_id: str | None = Field(default=None, min_length=1, max_length=100, pattern=r"^[\x21-\x7e]+$", examples=["anna"])
    psu_corporate_id: str | None = Field(default=None, min_length=1, max_length=100, pattern=r"^[\x21-\x7e]+$")
    accounts: list[AccountReference] = Field(default=[], max_length=20)


class Authorisation(Step):
    """Where an authorisation stands and what the person has to do next. ask_again: seconds until asking is of use."""

    ask_again: int | None = Field(default=None, examples=[3])

    @classmethod
    def of(cls, progress: Progress, ask_again: int | None = None) -> Authorisation:
        """Of a progress: without what stays here (links, state, verifier)."""
        return cls(**progress.step.model_dump(), ask_again=ask_again)


class StartedConsent(BaseModel):
    """A consent that waits for the person."""

    id: uuid.UUID
    status: str = Field(examples=["received"])
    jurisdiction: Literal["EU", "UK"]
    authorisation: Authorisation


class ConsentState(BaseModel):
    """Where a consent stands at the bank, asked just now."""

    id: uuid.UUID
    status: str = Field(examples=["valid"])
    valid_until: datetime.date | None = Field(
        default=None, description="the last day on which it is valid at the bank, where that was asked for and told"
    )


class LinkedAccount(BankAccount):
    """An account under a consent. id: to ask for its balances and transactions."""

    id: uuid.UUID


class AccountList(BaseModel):
    """The accounts that a consent grants; balances where the bank tells them."""

    accounts: list[LinkedAccount]


class TransactionList(BaseModel):
    """All pages of an account's transactions in a period."""

    date_from: datetime.date
    date_to: datetime.date
    entries: list[Entry]
    covers_pending: bool = Field(description="Whether the bank told its pending entries too.")
    complete: bool = Field(description="Whether a booked entry of the period that is not here is not there.")
    unreadable: int = Field(description="Entries left out because no amount could be read.", examples=[0])
    pages: int = Field(examples=[3])
