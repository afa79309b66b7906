"""Answers of UK Open Banking in the connector's form (OBReadAccount6, OBReadBalance1, OBReadTransaction6)."""

from __future__ import annotations

from typing import Any

from workloads.chassis import uk_numbers
from workloads.chassis.money import Money
from workloads.services.connector import parse
from workloads.services.connector.parse import Amount, Balance, BankAccount, Entry

_STATUSES = {
    "AWAITINGAUTHORISATION": "received", "AWAU": "received", "AUTHORISED": "valid", "AUTH": "valid",
    "REJECTED": "rejected", "RJCT": "rejected", "REVOKED": "revokedByPsu", "CANC": "revokedByPsu",
    "EXPIRED": "expired", "EXPD": "expired",
}  # fmt: skip
"""consentStatus by OBReadConsentResponse1's Status: 3.1's names, and 4.0's codes."""
_UK_NUMBER = "SortCodeAccountNumber"
"""UK.OBIE.SortCodeAccountNumber (OBExternalAccountIdentification4Code): six digits and eight."""
_BOOKED = {"BOOKED": "booked", "BOOK": "booked", "PENDING": "pending", "PDNG": "pending"}


def consent_status(told: Any) -> str | None:
    """The consentStatus that a Status stands for; None for one that is not known."""
    return _STATUSES.get((parse.text(told) or "").upper())


def listed(body: Any, name: str) -> list[dict[str, Any]]:
    """The objects of a list below Data."""
    data = body.get("Data") if isinstance(body, dict) else None
    found = data.get(name) if isinstance(data, dict) else None
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def account(each: dict[str, Any]) -> BankAccount | None:
    """An account; None without an id, by which alone it can be asked for."""
    key = parse.text(each.get("AccountId"))
    if key is None:
        return None
    numbers = (
        [n for n in each.get("Account") or [] if isinstance(n, dict)] if isinstance(each.get("Account"), list) else []
    )
    by_scheme = {(parse.text(n.get("SchemeName")) or "").rpartition(".")[2]: n for n in numbers}
    iban = parse.text(by_scheme.get("IBAN", {}).get("Identification"))
    uk_number = next(filter(None, map(_uk_number, numbers)), None)
    other = next((found for n in numbers if (found := parse.text(n.get("Identification")))), None)
    name = next((found for n in numbers if (found := parse.text(n.get("Name")))), None)
    return BankAccount(
        resource_id=key, iban=iban.replace(" ", "").upper() if iban else None, other_id=None if iban else other,
        uk_number=uk_number,
        currency=parse.account_currency(each.get("Currency")), name=parse.text(each.get("Nickname")) or name,
        product=parse.text(each.get("Description")),
        kind=parse.text(each.get("AccountSubType")) or parse.text(each.get("AccountTypeCode")),
    )  # fmt: skip


def balance(each: dict[str, Any]) -> Balance | None:
    """A balance; None without a readable amount."""
    found = _money(each)
    if found is None:
        return None
    amount = Amount(minor=found.minor, currency=found.currency)
    kind = parse.text(each.get("Type")) or "unknown"
    return Balance(kind=kind[0].lower() + kind[1:], amount=amount, date=parse.date(each.get("DateTime")))


def entry(each: dict[str, Any]) -> Entry | None:
    """A transaction; None without a readable amount or status."""
    found, status = _money(each), _BOOKED.get((parse.text(each.get("Status")) or "").upper())
    if found is None or status is None:
        return None
    party, account_of = ("Creditor", "CreditorAccount") if found.is_negative else ("Debtor", "DebtorAccount")
    merchant, named, other = (_object(each.get(name)) for name in ("MerchantDetails", party, account_of))
    names = (merchant.get("MerchantName"), named.get("Name"), other.get("Name"))
    iban = parse.text(other.get("Identification")) if str(other.get("SchemeName")).endswith("IBAN") else None
    return Entry(
        status=status,  # type: ignore[arg-type]  # one of the two above
        transaction_id=parse.reference(each.get("TransactionId")),
        entry_reference=parse.reference(each.get("TransactionReference")),
        booking_date=parse.date(each.get("BookingDateTime")) if status == "booked" else None,
        value_date=parse.date(each.get("ValueDateTime")) or parse.date(each.get("BookingDateTime")),
        amount=Amount(minor=found.minor, currency=found.currency),
        counterparty=next(filter(None, map(parse.text, names)), None),
        counterparty_iban=iban,
        counterparty_uk_number=_uk_number(other),
        remittance=parse.text(each.get("TransactionInformation")),
    )  # fmt: skip


def _uk_number(account: dict[str, Any]) -> str | None:
    """Sort code and account number of an OBCashAccount, where that is its scheme."""
    known = (parse.text(account.get("SchemeName")) or "").endswith(_UK_NUMBER)
    return uk_numbers.read(parse.text(account.get("Identification"))) if known else None


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _money(each: dict[str, Any]) -> Money | None:
    """The amount, signed: UK Open Banking's have none, CreditDebitIndicator says it."""
    amount = _object(each.get("Amount"))
    found = parse.money({"amount": amount.get("Amount"), "currency": amount.get("Currency")})
    sign = (parse.text(each.get("CreditDebitIndicator")) or "").upper()
    if found is None or sign not in ("CREDIT", "DEBIT"):
        return None
    return -abs(found) if sign == "DEBIT" else abs(found)
