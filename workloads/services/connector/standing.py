"""Whether a consent is over that a bank refused on one read: what the bank says of the consent itself decides."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from workloads.services.connector.failures import CONSENT_OVER, BankFailure
from workloads.services.connector.port import Bank, Context

Read = TypeVar("Read")
_ENDED = frozenset({"rejected", "revokedByPsu", "expired", "terminatedByTpp"})


def read(bank: Bank, context: Context, reading: Callable[[Context], Read]) -> Read:
    """What a read tells. reading: one of the bank's reads.

    Raises BankFailure: consent-expired and consent-invalid only where the bank says of the consent, too, that it has
    ended (XS2A, ``GET /consents/{id}/status``, which is no access to an account; UK Open Banking,
    ``GET /account-access-consents/{id}``), or where it has no consents. Otherwise the read has failed for now.
    """
    try:
        return reading(context)
    except BankFailure as failure:
        if not failure.doubtful or bank.profile.consent.access == "none" or _has_ended(bank, context):
            raise
        code = failure.extra.get("bank_code")
        words = "The bank could not be read for now: it refused the consent, and does not say that it has ended."
    raise BankFailure("bank-failed", words, bank_code=code)


def _has_ended(bank: Bank, context: Context) -> bool:
    """Whether the bank says so, does not know the consent, or lets us ask no more: it wants the person for a token."""
    try:
        return bank.consent_status(context) in _ENDED
    except BankFailure as failure:
        unknown = failure.extra.get("bank_code") == "CONSENT_UNKNOWN"
        return unknown or (failure.kind in CONSENT_OVER and not failure.doubtful)
