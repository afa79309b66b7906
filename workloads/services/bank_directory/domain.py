"""Which banks a search finds, and how a bank does."""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from workloads.chassis.letters import plain

Health = Literal["unknown", "answering", "failing"]
FAILING_AFTER = 3
"""Failures in a row: one is a hiccup, and people should not be kept from a bank for it."""
_FRESH = datetime.timedelta(days=1)


@dataclass(frozen=True)
class Wanted:
    """What is searched for. text: words of the name. country: ISO 3166. bic: as ``bank_of_bic`` left it."""

    text: str | None = None
    country: str | None = None
    bic: str | None = None


def bank_of_bic(text: str) -> str:
    """The part of a BIC that is the same for all branches of a bank in a country: its first six characters.

    ISO 9362: business party prefix, country. Raises ValueError for what is no BIC.
    """
    from schwifty import BIC  # its registry takes a while to import, and most searches name no BIC

    return str(BIC(text))[:6]


def find(banks: Iterable[dict[str, Any]], wanted: Wanted) -> list[dict[str, Any]]:
    """The banks that fit, by name. banks: as the connector tells them."""
    return sorted((each for each in banks if _fits(each, wanted)), key=lambda each: plain(each["name"]))


def _fits(bank: dict[str, Any], wanted: Wanted) -> bool:
    names = plain(bank["name"]).split()
    words = plain(wanted.text or "").split()
    return (
        all(any(name.startswith(word) for name in names) for word in words)
        and wanted.country in (None, *bank["countries"])
        and (wanted.bic is None or (bank["bic"] or "").startswith(wanted.bic))
    )


def health(failures: int | None, told: datetime.datetime | None, now: datetime.datetime) -> Health:
    """How a bank does. failures: in a row; None before the first call. told: when it was last called."""
    if failures is None or told is None or told < now - _FRESH:
        return "unknown"
    return "failing" if failures >= FAILING_AFTER else "answering"
