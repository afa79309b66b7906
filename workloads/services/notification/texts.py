"""What people read: texts by language, with amounts, dates and shares in that language's form (CLDR, by babel)."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Collection, Mapping
from copy import copy
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from babel import Locale
from babel.dates import format_date, format_skeleton
from babel.lists import format_list
from babel.numbers import format_decimal, format_percent
from pydantic import BaseModel, ConfigDict

from workloads.chassis.money import exponent
from workloads.services.notification.domain import Kind, Reason, reason

_FOLDER = Path(__file__).parent / "languages"
LANGUAGES: Collection[str] = ("en", "de", "sv", "fr")
_ELSE = "en"


class _Told(BaseModel):
    """locked: a title for what tells more than others should read over somebody's shoulder."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    title: str
    body: str
    locked: str | None = None


class _Language(BaseModel):
    """A file of ``languages``. locale: whose forms of amounts and dates are used. categories: names by slug."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    locale: str
    kinds: dict[Kind, _Told]
    reasons: dict[Reason, str]
    categories: dict[str, str]


@cache
def language(name: str) -> _Language:
    """The texts of a language there is, else the English ones."""
    known = name if name in LANGUAGES else _ELSE
    return _Language.model_validate(yaml.safe_load((_FOLDER / f"{known}.yaml").read_text("utf-8")))


def text(kind: Kind, name: str, about: Mapping[str, Any]) -> tuple[str, str]:
    """Title and text. Raises KeyError or ValueError where they can't be made of ``about``."""
    spoken = language(name)
    locale = Locale.parse(spoken.locale)
    shown = {each: _shown(each, value, about, spoken, locale) for each, value in about.items()}
    told = spoken.kinds[kind]
    return told.title.format(**shown), told.body.format(**shown)


def on_a_locked_screen(kind: Kind, name: str) -> str:
    """What a device shows to whoever holds it: a title without amounts, names, banks and dates, and nothing else."""
    told = language(name).kinds[kind]
    return told.locked or told.title


def _shown(name: str, value: Any, about: Mapping[str, Any], spoken: _Language, locale: Locale) -> str:
    if name == "amount":
        return _amount(Decimal(value), about["currency"], locale)
    if name == "category":
        return spoken.categories.get(value, value)
    if name == "kinds":
        reasons = {reason(each): None for each in str(value).split(", ")}
        return format_list([spoken.reasons[each] for each in reasons], locale=locale)
    way = _WAYS.get(name)
    return way(value, locale) if way else str(value)


def _amount(amount: Decimal, currency: str, locale: Locale) -> str:
    """With ISO 4217's digits: CLDR's are those of cash in use, e.g. none of IQD, and round what a bank booked."""
    pattern = copy(locale.currency_formats["standard"])
    pattern.frac_prec = (exponent(currency), exponent(currency))
    return pattern.apply(amount, locale, currency=currency, currency_digits=False)


def _date(value: str, locale: Locale) -> str:
    return format_date(datetime.date.fromisoformat(value), "long", locale)


def _month(value: str, locale: Locale) -> str:
    return format_skeleton("yMMMM", datetime.date.fromisoformat(f"{value}-01"), locale=locale)


_WAYS: Mapping[str, Callable[[Any, Locale], str]] = {
    "act_by": _date,
    "expected": _date,
    "month": _month,
    "percent": lambda value, locale: format_percent(Decimal(int(value)) / 100, locale=locale),
    "count": lambda value, locale: format_decimal(int(value), locale=locale),
}
"""How what a text names is shown; what is not among it is shown as it is."""
