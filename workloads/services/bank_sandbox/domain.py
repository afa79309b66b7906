"""The bank's consent rules (XS2A Implementation Guidelines 1.3, sections 6.3 and 6.4). No database, no clock."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import Any

from workloads.services.bank_sandbox.errors import Refusal

LONGEST = datetime.timedelta(days=180)
"""How long the bank lets a consent run (RTS on SCA, Art. 10a)."""
FREQUENCY = 4
"""Unattended accesses a day (RTS on SCA, Art. 36(5))."""
SCOPES = ("accounts", "balances", "transactions")
_EVERYTHING = ("allAccounts", "allAccountsWithOwnerName")
_BLANKET = ("availableAccounts", "availableAccountsWithBalance", "allPsd2")


@dataclass(frozen=True)
class Consent:
    """What the rules know of a consent. access: as the customer granted it: scope → IBANs with currency."""

    status: str
    valid_until: datetime.date
    frequency: int
    recurring: bool
    access: dict[str, Any]


def form(access: dict[str, Any]) -> str:
    """Which form of consent is asked for: detailed, bankOffered, global (allPsd2) or availableAccounts.

    Raises Refusal 400 FORMAT_ERROR when forms are mixed or none is asked for.
    """
    blanket = [name for name in _BLANKET if access.get(name) is not None]
    lists = [name for name in SCOPES if access.get(name) is not None]
    if len(blanket) + bool(lists) != 1:
        raise Refusal(400, "FORMAT_ERROR", "access asks for exactly one of account lists, allPsd2, availableAccounts…")
    if blanket:
        return "global" if blanket == ["allPsd2"] else blanket[0]
    return "detailed" if any(access[name] for name in lists) else "bankOffered"


def terms(body: dict[str, Any], today: datetime.date) -> tuple[datetime.date, int]:
    """Until when and how often a day the consent will hold: what is asked, within what the bank allows.

    Raises Refusal 400 for a period that is over, or a one-off consent with more than one access a day.
    """
    until = datetime.date.fromisoformat(body["validUntil"])
    if until < today:
        raise Refusal(400, "PERIOD_INVALID", "validUntil lies in the past", "validUntil")
    if not body["recurringIndicator"] and body["frequencyPerDay"] != 1:
        raise Refusal(400, "FORMAT_ERROR", "a one-off consent has frequencyPerDay 1", "frequencyPerDay")
    if body["combinedServiceIndicator"]:
        raise Refusal(400, "SESSIONS_NOT_SUPPORTED", "combined services are not supported", "combinedServiceIndicator")
    return min(until, today + LONGEST), min(body["frequencyPerDay"], FREQUENCY)


def granted(access: dict[str, Any], accounts: list[dict[str, str]], chosen: list[str]) -> dict[str, Any]:
    """The access that the customer grants, spelt out for each scope.

    accounts: the customer's own, with iban and currency. chosen: "<iban> <currency>" of those ticked on the page,
    which counts where the customer chooses (bankOffered, global, availableAccounts).
    """
    asked = form(access)
    if asked != "detailed":
        picked = [each for each in accounts if f"{each['iban']} {each['currency']}" in chosen]
        if asked == "availableAccounts":
            return {"accounts": picked}
        if asked == "availableAccountsWithBalance":
            return {"accounts": picked, "balances": picked}
        scopes = SCOPES if asked == "global" else [name for name in SCOPES if access.get(name) is not None]
        return dict.fromkeys(scopes, picked)
    result = {}
    for scope in SCOPES:
        references = access.get(scope) or []
        result[scope] = [each for each in accounts if any(_refers(wanted, each) for wanted in references)]
    # The list of accounts includes every account that balances or transactions may be read of.
    result["accounts"] = [each for each in accounts if any(each in result[scope] for scope in SCOPES)]
    return {scope: found for scope, found in result.items() if found}


def _refers(reference: dict[str, Any], account: dict[str, str]) -> bool:
    currency = reference.get("currency")
    return reference.get("iban") == account["iban"] and currency in (None, account["currency"])


def usable(consent: Consent, today: datetime.date) -> None:
    """Raises Refusal 401 unless the consent lets anything be read today."""
    if consent.status == "expired" or consent.valid_until < today:
        raise Refusal(401, "CONSENT_EXPIRED", "The consent has expired.")
    if consent.status != "valid":
        raise Refusal(401, "CONSENT_INVALID", f"The consent is {consent.status}.")


def covers(consent: Consent, scope: str, iban: str, currency: str) -> bool:
    """Whether the consent grants a scope of an account."""
    return {"iban": iban, "currency": currency} in consent.access.get(scope, [])


def counts(consent: Consent, *, attended: bool) -> bool:
    """Whether a read counts towards the quota: not while the customer is present on a recurring consent."""
    return not (attended and consent.recurring)
