"""The life of a consent (XS2A Implementation Guidelines 1.3, consentStatus) and the law's limits to it."""

from __future__ import annotations

import datetime
from typing import Literal
from urllib.parse import urlencode, urlsplit, urlunsplit

Jurisdiction = Literal["EU", "UK"]
STATUSES = ("received", "partiallyAuthorised", "valid", "rejected", "revokedByPsu", "expired", "terminatedByTpp")
FINAL = frozenset({"rejected", "revokedByPsu", "expired", "terminatedByTpp"})
_LAW_DAYS: dict[Jurisdiction, int] = {"EU": 180, "UK": 90}
"""Days after which the person must act again: SCA in the EU (RTS Art. 10a), reconfirmation in the UK (SYSC/RTS)."""

WARNED = datetime.timedelta(days=7)
"""How long before that the person is told."""


def advance(current: str, told: str) -> str:
    """The status after the bank told one. A final status stays; nothing goes back to received.

    Raises ValueError for a status that XS2A does not know.
    """
    if told not in STATUSES:
        raise ValueError(f"{told!r} is no consent status; allowed: {', '.join(STATUSES)}")
    if current in FINAL or (told == "received" and current != "received"):
        return current
    return told


def act_by(
    authorised: datetime.datetime, jurisdiction: Jurisdiction, valid_until: datetime.date | None = None
) -> datetime.datetime:
    """When the person must have acted again: when the law's time is over, or the bank's, which may be shorter.

    valid_until: the last day on which the bank takes it (XS2A, validUntil); one that was over when it was given says
    nothing.
    """
    law = authorised + datetime.timedelta(days=_LAW_DAYS[jurisdiction])
    if valid_until is None or valid_until < authorised.date():
        return law
    after = datetime.datetime.combine(valid_until + datetime.timedelta(days=1), datetime.time(), datetime.UTC)
    return min(law, after)


def today_status(
    status: str,
    authorised: datetime.datetime | None,
    jurisdiction: Jurisdiction,
    now: datetime.datetime,
    valid_until: datetime.date | None = None,
) -> str:
    """The status as of now: a valid consent ends when its time is over, whatever the bank says."""
    if status == "valid" and authorised and now >= act_by(authorised, jurisdiction, valid_until):
        return "expired"
    return status


def return_address(base: str, consent_id: str, *, declined: bool) -> str:
    """Where the bank sends the person back: the app's address, saying which consent this is about.

    What it says is a hint for the app, never proof: the bank is asked for the consent's status.
    """
    parts = urlsplit(base)
    added = {"consent": consent_id, **({"outcome": "declined"} if declined else {})}
    return urlunsplit(parts._replace(query="&".join(filter(None, [parts.query, urlencode(added)]))))
