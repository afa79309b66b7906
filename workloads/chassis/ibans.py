"""IBANs in texts: found wherever they stand, however they are grouped, and only where schwifty finds them valid."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache

_START = re.compile(r"(?=([A-Za-z]{2})[ .-]?[0-9]{2})")
_SEPARATORS = " .-"
_WITHOUT_SEPARATORS = str.maketrans("", "", _SEPARATORS)
_ALPHABET = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789")


@dataclass(frozen=True)
class Found:
    """Where an IBAN stands in a text. text: as it is spelled there. iban: in capitals, without separators."""

    start: int
    end: int
    text: str
    iban: str


def compact(text: str) -> str:
    """An IBAN as a machine writes it (ISO 13616): in capitals, without separators."""
    return text.translate(_WITHOUT_SEPARATORS).upper()


def find(text: str) -> Iterator[Found]:
    """The valid IBANs of a text, in its order; letters and digits may stand right before and behind one."""
    past = 0
    for match in _START.finditer(text):
        start = match.start()
        end = _end(text, start, _length(match[1].upper())) if start >= past else None
        if end and _is_valid(iban := compact(text[start:end])):
            yield Found(start, end, text[start:end], iban)
            past = end


def replace(text: str, by: Callable[[Found], str]) -> str:
    """The text with something else in the place of each IBAN."""
    parts, past = [], 0
    for each in find(text):
        parts += [text[past : each.start], by(each)]
        past = each.end
    return "".join([*parts, text[past:]])


def _end(text: str, start: int, length: int) -> int | None:
    """Where so many letters and digits from a position on end; None where fewer stand there in groups."""
    taken = 0
    for position in range(start, len(text) if length else start):
        if text[position] in _ALPHABET:
            taken += 1
            if taken == length:
                return position + 1
        elif text[position] not in _SEPARATORS or text[position - 1] in _SEPARATORS:
            return None
    return None


@cache
def _length(country: str) -> int:
    """Of a country's IBANs; 0 where it has none."""
    from schwifty import IBAN  # 7 MB and 50 ms: only once a text has what may be an IBAN
    from schwifty.exceptions import InvalidCountryCode

    try:
        return IBAN(f"{country}00", allow_invalid=True).spec.iban_length
    except InvalidCountryCode:
        return 0


def _is_valid(iban: str) -> bool:
    from schwifty import IBAN

    return IBAN(iban, allow_invalid=True).is_valid
