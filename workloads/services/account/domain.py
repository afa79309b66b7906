"""What makes two accounts the same, and what of an IBAN may be shown."""

from __future__ import annotations

from workloads.chassis import ibans, uk_numbers

_LONGEST_NAME = 140


def identity(bank: str, iban: str | None, other_id: str | None, resource: str, currency: str | None) -> str:
    """What an account is matched on: its IBAN and currency, which outlive a consent.

    One IBAN may hold sub-accounts in several currencies. Without an IBAN, the bank's other number; without any, the
    bank's account id, which may change with the next consent: such an account can't be recognised then.
    """
    if iban:
        return f"iban:{iban}:{currency or ''}"
    if other_id:
        return f"other:{bank}:{other_id}:{currency or ''}"
    return f"resource:{bank}:{resource}"


def masked(number: str | None) -> str | None:
    """Country and the last four digits: enough for its owner to tell which it is."""
    if not number:
        return None
    return f"{number[:2] if number[:2].isalpha() else ''}••{number[-4:]}"


def shown_name(told: str | None) -> str | None:
    """The bank's name of an account, its numbers masked: some banks name an account by its number."""
    name = ibans.replace(told or "", lambda each: masked(each.iban) or "")
    for spelled, number in uk_numbers.find(name):
        name = name.replace(spelled, masked(number) or "")
    return name[:_LONGEST_NAME] or None
