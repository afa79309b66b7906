"""A tolerant reader of XS2A answers: nulls, absent ids, numbers for text; what is not money is left out and counted."""

from __future__ import annotations

import datetime
import re
from decimal import Decimal
from typing import Any, Literal

from pydantic import BaseModel, Field

from workloads.chassis.money import InvalidMoney, Money
from workloads.services.connector.currencies import KNOWN


class Amount(BaseModel):
    """An amount. minor: signed minor units. currency: ISO 4217."""

    minor: int = Field(examples=[-1250])
    currency: str = Field(examples=["EUR"])


class Balance(BaseModel):
    """A balance. kind: the bank's balanceType, e.g. closingBooked."""

    kind: str = Field(examples=["closingBooked"])
    amount: Amount
    date: datetime.date | None = None


class BankAccount(BaseModel):
    """An account as the bank tells it."""

    resource_id: str
    iban: str | None = None
    other_id: str | None = Field(default=None, description="BBAN, masked card number or phone number, where no IBAN is")
    uk_number: str | None = Field(default=None, description="sort code and account number, 14 digits, of a UK account")
    currency: str | None = None
    name: str | None = None
    product: str | None = None
    kind: str | None = Field(default=None, description="cashAccountType, e.g. CACC")
    balances: list[Balance] = []


class Entry(BaseModel):
    """A transaction as the bank tells it. Only the amount is certain."""

    status: Literal["booked", "pending"]
    transaction_id: str | None = None
    entry_reference: str | None = None
    booking_date: datetime.date | None = None
    value_date: datetime.date | None = None
    amount: Amount
    counterparty: str | None = None
    counterparty_iban: str | None = None
    counterparty_uk_number: str | None = Field(default=None, description="sort code and account number, 14 digits")
    remittance: str | None = None


_NO_TEXT = re.compile(r"[\x00\ud800-\udfff]")
"""U+0000, which PostgreSQL refuses, and halves of surrogate pairs, which no UTF-8 has: JSON can escape both."""
_NO_REFERENCE = frozenset({"NONREF", "NOTPROVIDED", "NOT PROVIDED"})
"""What banks write where there is no reference (SEPA rulebooks, SWIFT's field 20): it names no transaction."""


def text(value: Any) -> str | None:
    """Text from text or a number; None for anything else, or nothing but space."""
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        value = str(value)
    return (" ".join(_NO_TEXT.sub("", value).split()) or None) if isinstance(value, str) else None


def reference(value: Any) -> str | None:
    """What a bank calls a transaction; None where it calls it nothing."""
    found = text(value)
    return None if found is None or found.upper() in _NO_REFERENCE else found


_EARLIEST, _LATEST = datetime.date(1970, 1, 1), datetime.date(2199, 12, 31)
"""Beyond them, a date stands for none: banks write 0001-01-01 and 9999-12-31 where they have nothing to say."""


def date(value: Any) -> datetime.date | None:
    """A date from a date or date-time; None for anything else, and for one that stands for none."""
    try:
        found = datetime.date.fromisoformat(value[:10]) if isinstance(value, str) else None
    except ValueError:
        return None
    return found if found and _EARLIEST <= found <= _LATEST else None


def money(value: Any) -> Money | None:
    """Money from an amount object, also in the form of XS2A before 1.2 (content for amount).

    None where it can't be read, or is in a currency that there is not.
    """
    if not isinstance(value, dict):
        return None
    amount, currency = value.get("amount", value.get("content")), text(value.get("currency"))
    return read_money(text(amount) or "", currency or "")


def read_money(amount: str, currency: str) -> Money | None:
    """Money as a bank tells it; None where it can't be read, or is in a currency that there is not."""
    try:
        return Money.parse(amount, currency.upper()) if currency.upper() in KNOWN else None
    except InvalidMoney:
        return None


def _amount(value: Money) -> Amount:
    return Amount(minor=value.minor, currency=value.currency)


def balances(value: Any) -> list[Balance]:
    """The balances of a list; entries without a readable amount are left out."""
    found = []
    for each in value if isinstance(value, list) else []:
        if isinstance(each, dict) and (amount := money(each.get("balanceAmount") or each.get("amount"))):
            day = date(each.get("referenceDate")) or date(each.get("lastChangeDateTime"))
            found.append(Balance(kind=text(each.get("balanceType")) or "unknown", amount=_amount(amount), date=day))
    return found


def accounts(body: Any) -> list[BankAccount]:
    """The accounts of an account list. One without any id of its own can't be asked for again and is left out."""
    found = []
    listed = body.get("accounts") if isinstance(body, dict) else None
    for each in listed if isinstance(listed, list) else []:
        if not isinstance(each, dict):
            continue
        iban = (text(each.get("iban")) or "").replace(" ", "").upper() or None
        other = next((t for name in ("bban", "maskedPan", "msisdn") if (t := text(each.get(name)))), None)
        resource = text(each.get("resourceId")) or _resource_in(each.get("_links"))
        if resource:
            found.append(
                BankAccount(
                    resource_id=resource, iban=iban, other_id=other, currency=account_currency(each.get("currency")),
                    name=text(each.get("displayName")) or text(each.get("name")) or text(each.get("product")),
                    product=text(each.get("product")), kind=text(each.get("cashAccountType")),
                    balances=balances(each.get("balances")),
                )
            )  # fmt: skip
    return found


def account_currency(value: Any) -> str | None:
    """The account's currency; None for XXX, which stands for a multi-currency account, and for what is no code."""
    code = (text(value) or "").upper()
    return code if re.fullmatch("[A-Z]{3}", code) and code != "XXX" else None


def _resource_in(links: Any) -> str | None:
    """The account's id from its links, where resourceId is missing: …/accounts/<id>[/balances|/transactions]."""
    for link in links.values() if isinstance(links, dict) else []:
        target = link.get("href") if isinstance(link, dict) else link
        if "/accounts/" in (target := text(target) or ""):
            found = target.split("/accounts/", 1)[1].split("?")[0].split("/")[0]
            if found:
                return found
    return None


def entries(report: Any, *, by_party: bool) -> tuple[list[Entry], int]:
    """The booked and pending entries of an account report, and how many could not be read.

    by_party: amounts come without a sign; one with a creditor and no debtor was paid by the account's owner.
    """
    found: list[Entry] = []
    unreadable = 0
    for status in ("booked", "pending"):
        listed = report.get(status) if isinstance(report, dict) else None
        for each in listed if isinstance(listed, list) else []:
            entry = _entry(each, status, by_party=by_party) if isinstance(each, dict) else None
            if entry is None:
                unreadable += 1
            else:
                found.append(entry)
    return found, unreadable


def _entry(each: dict[str, Any], status: Any, *, by_party: bool) -> Entry | None:
    amount = money(each.get("transactionAmount") or each.get("amount"))
    if amount is None:
        return None
    creditor, debtor = text(each.get("creditorName")), text(each.get("debtorName"))
    if by_party:
        paid = (creditor or each.get("creditorAccount")) and not (debtor or each.get("debtorAccount"))
        amount = -abs(amount) if paid else amount
    other = each.get("creditorAccount" if amount.is_negative else "debtorAccount")
    iban = text(other.get("iban")) if isinstance(other, dict) else None
    return Entry(
        status=status,
        transaction_id=reference(each.get("transactionId")),
        entry_reference=reference(each.get("entryReference")),
        booking_date=date(each.get("bookingDate")),
        value_date=date(each.get("valueDate")) or date(each.get("transactionDate")),
        amount=_amount(amount),
        counterparty=(creditor or debtor) if amount.is_negative else (debtor or creditor),
        counterparty_iban=iban,
        remittance=_remittance(each),
    )


def _remittance(each: dict[str, Any]) -> str | None:
    several = each.get("remittanceInformationUnstructuredArray")
    structured = each.get("remittanceInformationStructured")
    candidates = [
        each.get("remittanceInformationUnstructured"),
        " ".join(filter(None, map(text, several))) if isinstance(several, list) else None,
        structured.get("reference") if isinstance(structured, dict) else structured,
        each.get("additionalInformation"),
    ]
    return next((found for candidate in candidates if (found := text(candidate))), None)
