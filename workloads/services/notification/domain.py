"""What a person is told of, when it is not told, and what spending is unusual."""

from __future__ import annotations

import datetime
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Literal
from zoneinfo import ZoneInfo

Kind = Literal[
    "budget-threshold", "consent-expiring", "consent-expired", "payment-missed", "sync-failing", "unusual-spending",
    "export-ready", "ticket-answered", "bookings-withdrawn",
]  # fmt: skip
KINDS: tuple[Kind, ...] = Kind.__args__  # type: ignore[attr-defined]  # typing's documented content
URGENT: frozenset[Kind] = frozenset({"export-ready"})
"""Done in the person's name just now, perhaps by another: quiet hours do not hold it back."""
_FEWEST = 12
"""Transactions of a category that must be known before one can be unusual."""
_LEAST_MINOR = 5000
_TIMES = 2


@dataclass(frozen=True)
class QuietHours:
    """When a person is not disturbed; start and end are local times, and may lie on two days."""

    start: datetime.time
    end: datetime.time
    zone: ZoneInfo

    def until(self, now: datetime.datetime) -> datetime.datetime | None:
        """When the quiet hours that it is in end; None when it is in none. now: aware."""
        local = now.astimezone(self.zone)
        time = local.time()
        if self.start == self.end:
            return None
        over_midnight = self.start > self.end
        inside = (time >= self.start or time < self.end) if over_midnight else self.start <= time < self.end
        if not inside:
            return None
        day = local.date() + datetime.timedelta(days=1 if over_midnight and time >= self.start else 0)
        end = datetime.datetime.combine(day, self.end, self.zone)
        first, second = (end.replace(fold=fold).astimezone(datetime.UTC) for fold in (0, 1))
        return first if first > now else second  # where clocks go back, a local time comes twice


def unusual(minor: int, earlier: Sequence[int]) -> bool:
    """Whether spending is twice the largest of its category in the past months, and no small amount.

    minor: signed minor units. earlier: of the same category and currency.
    """
    spent = [-each for each in earlier if each < 0]
    return len(spent) >= _FEWEST and -minor >= max(_LEAST_MINOR, _TIMES * max(spent))


_TEXTS: dict[str, dict[Kind, tuple[str, str]]] = {
    "en": {
        "budget-threshold": ("Budget at {percent} %", "{percent} % of a budget for {month} is spent."),
        "consent-expiring": ("Bank connection ends soon", "Renew the connection to {bank} before {act_by}."),
        "consent-expired": ("Bank connection ended", "The connection to {bank} has ended. Connect it again."),
        "payment-missed": ("Expected payment missing", "A payment expected on {expected} has not come."),
        "sync-failing": ("Accounts not up to date", "Not every account could be read: {kinds}."),
        "unusual-spending": ("Unusual spending", "{amount} {currency} for {category} is more than you usually spend."),
        "export-ready": ("Your data was exported", "Everything was downloaded. If that was not you, tell support."),
        "ticket-answered": ("Your question is answered", "Support has written in your ticket."),
        "bookings-withdrawn": ("Bookings withdrawn", "{bank} no longer lists {count} of your booked transactions."),
    },
    "de": {
        "budget-threshold": ("Budget zu {percent} % verbraucht", "{percent} % eines Budgets für {month} sind weg."),
        "consent-expiring": ("Bankzugang endet bald", "Erneuern Sie den Zugang zu {bank} vor dem {act_by}."),
        "consent-expired": ("Bankzugang beendet", "Der Zugang zu {bank} ist abgelaufen. Verbinden Sie ihn neu."),
        "payment-missed": ("Erwartete Zahlung fehlt", "Eine für {expected} erwartete Zahlung ist ausgeblieben."),
        "sync-failing": ("Konten nicht aktuell", "Nicht jedes Konto konnte gelesen werden: {kinds}."),
        "unusual-spending": ("Ungewöhnliche Ausgabe", "{amount} {currency} für {category} ist mehr als üblich."),
        "export-ready": ("Ihre Daten wurden exportiert", "Alles wurde geladen. Waren nicht Sie das, sagen Sie es uns."),
        "ticket-answered": ("Ihre Frage ist beantwortet", "In Ihrer Anfrage steht eine Antwort."),
        "bookings-withdrawn": ("Buchungen zurückgenommen", "{bank} führt {count} Ihrer Buchungen nicht mehr auf."),
    },
}
LANGUAGES: Collection[str] = tuple(_TEXTS)
_ON_A_LOCKED_SCREEN: dict[str, dict[Kind, str]] = {
    "en": {"budget-threshold": "A budget is being used up", "unusual-spending": "Something to look at"},
    "de": {"budget-threshold": "Ein Budget wird knapp", "unusual-spending": "Bitte einmal ansehen"},
}
"""Titles of what tells more than others should read over somebody's shoulder."""


def text(kind: Kind, language: str, about: dict[str, Any]) -> tuple[str, str]:
    """Title and text, in a language there is, else in English."""
    title, body = _TEXTS.get(language, _TEXTS["en"])[kind]
    return title.format(**about), body.format(**about)


def on_a_locked_screen(kind: Kind, language: str) -> str:
    """What a device shows to whoever holds it: a title without amounts, names, banks and dates, and nothing else."""
    known = language if language in _TEXTS else "en"
    return _ON_A_LOCKED_SCREEN[known].get(kind) or _TEXTS[known][kind][0]
