"""What the account service answers."""

from __future__ import annotations

import datetime
import uuid

from pydantic import BaseModel, ConfigDict, Field, StrictBool

from workloads.chassis.money import Money
from workloads.services.account.models import Account, Balance


class RefreshRequest(BaseModel):
    """How to refresh. attended: the person asked for it, and is told to the banks as present."""

    model_config = ConfigDict(extra="forbid")
    attended: StrictBool = True


class BalanceView(BaseModel):
    """A balance."""

    kind: str = Field(description="XS2A's balanceType", examples=["closingBooked"])
    minor: int = Field(description="signed minor units", examples=[184050])
    currency: str = Field(examples=["EUR"])
    decimal: str = Field(examples=["1840.50"])
    date: datetime.date | None

    @classmethod
    def of(cls, balance: Balance) -> BalanceView:
        """As last told."""
        shown = str(Money(balance.minor, balance.currency))
        return cls(
            kind=balance.kind, minor=balance.minor, currency=balance.currency, decimal=shown, date=balance.date
        )  # fmt: skip


class AccountView(BaseModel):
    """An account."""

    id: uuid.UUID
    bank: str = Field(examples=["aurora"])
    name: str | None = Field(examples=["Girokonto"])
    number: str | None = Field(description="country and last four digits of its IBAN", examples=["DE••3000"])
    currency: str | None = Field(examples=["EUR"])
    kind: str | None = Field(examples=["CACC"])
    connected: bool = Field(description="whether a valid consent reaches it")
    consent_id: uuid.UUID
    bank_consent_id: uuid.UUID
    bank_account_id: uuid.UUID
    balances: list[BalanceView]

    @classmethod
    def of(cls, account: Account, balances: list[Balance]) -> AccountView:
        """As last told."""
        return cls(
            id=account.id, bank=account.bank, name=account.name, number=account.number_masked,
            currency=account.currency, kind=account.kind, connected=account.connected, consent_id=account.consent_id,
            bank_consent_id=account.bank_consent_id, bank_account_id=account.bank_account_id,
            balances=[BalanceView.of(each) for each in balances],
        )  # fmt: skip


class AccountNumber(BaseModel):
    """The numbers by which an account is known at every bank."""

    account_id: uuid.UUID
    iban: str | None = Field(examples=["GB33BUKB20201555555555"])
    uk_number: str | None = Field(description="sort code and account number, 14 digits", examples=["20201555555555"])


class AccountNumbers(BaseModel):
    """The accounts that have such a number."""

    numbers: list[AccountNumber]


class Failure(BaseModel):
    """A bank that could not be read. kind: of the problem, e.g. consent-expired."""

    bank: str = Field(examples=["borealis"])
    consent_id: uuid.UUID
    kind: str = Field(examples=["consent-expired"])
    detail: str = Field(examples=["The consent has expired at the bank."])


class AccountList(BaseModel):
    """The user's accounts at all banks."""

    accounts: list[AccountView]


class RefreshedAccounts(AccountList):
    """The accounts after a refresh, and the banks that could not be read: the others are up to date."""

    failures: list[Failure]
