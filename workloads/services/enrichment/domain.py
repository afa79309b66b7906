"""Which merchant and category a transaction has: the person's word first, then rules, then what is commonly known."""

from __future__ import annotations

import datetime
import hashlib
import re
import unicodedata
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, Literal

import yaml

Source = Literal["person", "rule", "party", "transfer", "merchant", "word", "none"]
UNCATEGORISED, INCOME, TRANSFER = "uncategorised", "income", "transfer"
_FOLDER = Path(__file__).parent
_CARRIERS = re.compile(
    r"^(paypal|sumup|zettle|izettle|sq|klarna|stripe|adyen|mollie|worldline|visa|mastercard)\b[ *.-]*"
)
"""Payment services that stand before the merchant's name in card statements."""
_FORMS = frozenset(
    [
        "gmbh",
        "ag",
        "kg",
        "ohg",
        "ug",
        "mbh",
        "se",
        "ev",
        "ltd",
        "limited",
        "plc",
        "llp",
        "inc",
        "llc",
        "sa",
        "sas",
        "sarl",
        "srl",
        "spa",
        "bv",
        "nv",
        "ab",
        "oy",
        "as",
        "aps",
        "co",
    ]
)
_NOISE = re.compile(r"(?:[^\w ]|[_\u0080-\u036f])+")
"""All but letters and digits; of letters beyond ASCII, those of other scripts than the Latin one stay."""
_NUMBER = re.compile(r"\b\S*\d{3,}\S*\b")


@dataclass(frozen=True)
class Category:
    """A category. income: whether money comes in. words: beginnings of words that tell it."""

    slug: str
    name: str
    income: bool
    words: tuple[str, ...]


@dataclass(frozen=True)
class Line:
    """A line of a statement, as far as it tells what it is. minor: signed minor units.

    counterparty_index: stands for the other side's IBAN.
    """

    counterparty: str | None
    remittance: str | None
    minor: int
    transfer: bool = False
    counterparty_index: str | None = None


@dataclass(frozen=True)
class PersonRule:
    """A rule of the person's: every word is in the text, the amount in the range (None: any). said: when."""

    words: tuple[str, ...]
    category: str
    said: datetime.datetime
    least: int | None = None
    most: int | None = None

    def fits(self, text: str, minor: int) -> bool:
        """Whether a line is meant. text: folded."""
        low = self.least is None or self.least <= minor
        high = self.most is None or minor <= self.most
        return low and high and all(f" {word}" in f" {text}" for word in self.words)


@dataclass(frozen=True)
class PartyWord:
    """The person's word on every transaction with one other side. said: when."""

    category: str
    said: datetime.datetime


@dataclass(frozen=True)
class Word:
    """What the person has said. rules: the newest first. parties: by what stands for the other side."""

    rules: Sequence[PersonRule] = ()
    parties: Mapping[str, PartyWord] = field(default_factory=dict)


@dataclass(frozen=True)
class Meaning:
    """What a transaction is, and by what that was seen."""

    category: str
    merchant: str | None
    source: Source


@lru_cache(maxsize=20_000)
def fold(text: str) -> str:
    """Lower case, no accents, no punctuation, single spaces; in whatever script."""
    apart = unicodedata.normalize("NFKD", text.casefold())
    plain = unicodedata.normalize("NFC", "".join(c for c in apart if not unicodedata.combining(c)))
    return " ".join(_NOISE.sub(" ", plain.casefold()).split())


@lru_cache(maxsize=20_000)
def party_name(told: str | None) -> str:
    """The other side's name without what changes from one transaction to the next: numbers, legal forms, carriers."""
    text = _CARRIERS.sub("", fold(_NUMBER.sub(" ", told or "")))
    return " ".join(word for word in text.split() if word not in _FORMS)[:100]


def party(user: uuid.UUID, line: Line) -> str | None:
    """Stands for the other side in events and tables: the same for the same one, and different for every user.

    By name, as one company has many accounts, and one that pays for others has one for many; by account where no name
    is told; else by what was written to it. None where nothing is told of it: such lines have nothing in common.
    """
    name = party_name(line.counterparty) or line.counterparty_index or party_name(line.remittance)
    if not name:
        return None
    return hashlib.sha256(user.bytes + b"party" + name.encode()).hexdigest()[:32]


@cache
def categories() -> Mapping[str, Category]:
    """The categories, by slug."""
    listed: list[dict[str, Any]] = yaml.safe_load((_FOLDER / "categories.yaml").read_text())
    return {
        each["slug"]: Category(each["slug"], each["name"], each.get("income", False), tuple(each["words"]))
        for each in listed
    }


@cache
def _merchants() -> Mapping[str, tuple[str, str]]:
    """Slug and category by name."""
    listed: dict[str, list[str]] = yaml.safe_load((_FOLDER / "merchants.yaml").read_text())
    return {name: (slug, given[0]) for slug, given in listed.items() for name in given[1:]}


_LONGEST_NAME = 3
"""Words in a merchant's name."""
_SHORTEST_ENDING = 4


@cache
def _words() -> tuple[Mapping[str, str], Mapping[str, list[tuple[str, str]]]]:
    """Category by whole word; and by first three letters, the beginnings of words and their categories."""
    whole: dict[str, str] = {}
    beginnings: dict[str, list[tuple[str, str]]] = {}
    for each in categories().values():
        for word in each.words:
            if word.startswith("="):
                whole[word[1:]] = each.slug
            else:
                beginnings.setdefault(word[:3], []).append((word, each.slug))
    return whole, beginnings


@lru_cache(maxsize=20_000)
def _merchant(text: str) -> tuple[str, str] | None:
    """The known merchant whose name is in a text, the longest one; slug and category."""
    words = text.split()
    for length in range(_LONGEST_NAME, 0, -1):
        for start in range(len(words) - length + 1):
            if found := _merchants().get(" ".join(words[start : start + length])):
                return found
    return None


@lru_cache(maxsize=20_000)
def _by_words(text: str, income: bool) -> str | None:
    """The category whose longest word is in a text; of those for income, or of those for spending."""
    whole, beginnings = _words()
    found: list[tuple[int, str]] = []
    padded = f"{text} "
    position = 0
    for word in text.split():
        if word in whole:
            found.append((len(word), whole[word]))
        rest = padded[position:]
        found += [(len(w), slug) for w, slug in beginnings.get(word[:3], ()) if rest.startswith(w)]
        # German compounds carry the meaning at their end: Stadtbackerei, Gemeinschaftspraxis.
        found += [(len(w), slug) for w, slug in _endings().get(word[-3:], ()) if word.endswith(w) and word != w]
        position += len(word) + 1
    fitting = [each for each in found if categories()[each[1]].income == income]
    return max(fitting)[1] if fitting else None


@cache
def _endings() -> Mapping[str, list[tuple[str, str]]]:
    """By last three letters, words that may end a longer one, and their categories."""
    endings: dict[str, list[tuple[str, str]]] = {}
    for found in _words()[1].values():
        for word, slug in found:
            if " " not in word and len(word) > _SHORTEST_ENDING:
                endings.setdefault(word[-3:], []).append((word, slug))
    return endings


def meaning(line: Line, party_: str | None, word: Word) -> Meaning:
    """What a transaction is. Of a rule and a word on the other side the newer holds: a correction sticks.

    party_: what stands for its other side, if anything does. The person's single corrections are not looked at here:
    they stay as they are, whatever would be found anew.
    """
    who, what = fold(line.counterparty or ""), fold(line.remittance or "")
    known = _merchant(who) or _merchant(what)
    merchant = known[0] if known else None
    text = f"{who} {what}".strip()
    rule = next((each for each in word.rules if each.fits(text, line.minor)), None)
    on_party = word.parties.get(party_) if party_ else None
    if rule and not (on_party and on_party.said > rule.said):
        return Meaning(rule.category, merchant, "rule")
    if on_party:
        return Meaning(on_party.category, merchant, "party")
    if line.transfer:
        return Meaning(TRANSFER, merchant, "transfer")
    income = line.minor > 0
    if known and not income:
        return Meaning(known[1], merchant, "merchant")
    by_word = _by_words(who, income) or _by_words(what, income)
    if by_word:
        return Meaning(by_word, merchant, "word")
    if known:
        return Meaning("refund", merchant, "merchant")
    return Meaning(INCOME if income else UNCATEGORISED, None, "none")
