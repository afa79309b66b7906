"""The bank's books: a data set's rules made into entries and balances. A date's entries never change afterwards.

The data set names series (rent on the 1st, a bakery on workdays …); what happened on a date follows from the date
alone, so the history is alive, and the same whenever and by whichever replica it is read.
"""

from __future__ import annotations

import calendar
import datetime
import hashlib
from dataclasses import dataclass, field
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field

from workloads.chassis.money import Money

HISTORY = datetime.timedelta(days=180)
_DATASETS = Path(__file__).parent / "datasets"
_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class Series(BaseModel):
    """Entries that recur.

    amount: signed decimal, or a range to draw from. monthly: day of the month (its last day when shorter).
    weekly: weekdays. times: how many identical entries on such a day. settles: days until it is booked.
    iban, uk_number: of the other side. id: what identifies an entry: transactionId, entryReference, or nothing.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    party: str
    text: str
    amount: str | tuple[str, str]
    monthly: int | None = Field(default=None, ge=1, le=31)
    weekly: tuple[Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"], ...] = ()
    times: int = Field(default=1, ge=1, le=5)
    settles: int = Field(default=0, ge=0, le=5)
    iban: str | None = None
    uk_number: str | None = Field(default=None, pattern="^[0-9]{14}$")
    id: Literal["transactionId", "entryReference", "none"] = "transactionId"


class Account(BaseModel):
    """An account of the data set. opening: its balance when it was opened."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    iban: str
    currency: str
    name: str
    owner: str
    product: str
    type: str = "CACC"
    opened: datetime.date
    opening: str
    series: tuple[Series, ...]


class Customer(BaseModel):
    """A sandbox customer: what is typed on the authorisation page, and whose accounts these are."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    login: str
    pin: str
    accounts: tuple[str, ...]


class Dataset(BaseModel):
    """All of one sandbox bank. page_size: entries a page, None sends all at once. link_base: what links begin with."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    bank: str
    name: str
    bic: str
    page_size: int | None = None
    link_base: str = ""
    customers: tuple[Customer, ...]
    accounts: dict[str, Account]

    def customer(self, login: str | None) -> Customer | None:
        """The customer of a name."""
        return next((each for each in self.customers if each.login == login), None)

    def held_by(self, customer: Customer) -> list[dict[str, str]]:
        """IBAN and currency of a customer's accounts."""
        return [{"iban": a.iban, "currency": a.currency} for a in map(self.accounts.__getitem__, customer.accounts)]


@dataclass(frozen=True)
class Entry:
    """One movement. done: the day it happened. booked: the day it is booked. fields: identifiers, if any."""

    done: datetime.date
    booked: datetime.date
    money: Money
    series: Series
    fields: dict[str, str] = field(default_factory=dict)


@cache
def dataset(name: str) -> Dataset:
    """A data set by name, validated."""
    return Dataset.model_validate(yaml.safe_load((_DATASETS / f"{name}.yaml").read_text()))


def _falls_on(series: Series, day: datetime.date) -> bool:
    if series.monthly:
        return day.day == min(series.monthly, calendar.monthrange(day.year, day.month)[1])
    return _WEEKDAYS[day.weekday()] in series.weekly


def _drawn(series: Series, seed: bytes, currency: str) -> Money:
    if isinstance(series.amount, str):
        return Money.parse(series.amount, currency)
    low, high = sorted(Money.parse(each, currency).minor for each in series.amount)
    return Money(low + int.from_bytes(seed[:8]) % (high - low + 1), currency)


def _made(account: Account, series: Series, day: datetime.date) -> list[Entry]:
    seed = hashlib.sha256(f"{account.iban}|{account.currency}|{series.party}|{series.text}|{day}".encode()).digest()
    money, entries = _drawn(series, seed, account.currency), []
    for nth in range(series.times):
        fields: dict[str, str] = {} if series.id == "none" else {series.id: f"{day:%Y%m%d}-{seed[8:14].hex()}-{nth}"}
        entries.append(Entry(day, day + datetime.timedelta(days=series.settles), money, series, fields))
    return entries


@lru_cache(maxsize=32)
def _entries(account: Account, today: datetime.date) -> tuple[Entry, ...]:
    days = (today - account.opened).days + 1
    dates = (account.opened + datetime.timedelta(days=step) for step in range(days))
    return tuple(e for day in dates for s in account.series if _falls_on(s, day) for e in _made(account, s, day))


def entries(account: Account, today: datetime.date) -> tuple[list[Entry], list[Entry]]:
    """Booked and pending entries as of a date, newest first; no older than the bank keeps for reading."""
    recent = [each for each in _entries(account, today) if each.done >= today - HISTORY]
    booked = sorted((e for e in recent if e.booked <= today), key=lambda e: e.booked, reverse=True)
    return booked, [e for e in reversed(recent) if e.booked > today]


def balances(account: Account, today: datetime.date) -> list[dict[str, Any]]:
    """Booked and expected balance as of a date, in XS2A's form."""
    booked = expected = Money.parse(account.opening, account.currency)
    for each in _entries(account, today):
        expected += each.money
        if each.booked <= today:
            booked += each.money

    def shown(money: Money, kind: str) -> dict[str, Any]:
        amount = {"currency": money.currency, "amount": str(money)}
        return {"balanceAmount": amount, "balanceType": kind, "referenceDate": today.isoformat()}

    return [shown(booked, "closingBooked"), shown(expected, "expected")]
