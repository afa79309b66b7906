"""The IBANs of a transaction: taken out of its texts before any is kept, sealed beside them, put back for their owner.

In a text a blind index stands in an IBAN's place, between two unit separators, which no told text holds. So texts that
name the same accounts are equal without being opened, and a hash of them can't be tried out without the person's key.

UK banks tell a sort code and an account number of the other side: kept as an IBAN would be, with an index of its own
kind. In texts they are not looked for, where fourteen digits may be anything.
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, NamedTuple

from pydantic_core import from_json
from sqlalchemy.orm import Session

from workloads.chassis import ibans, tenancy, uk_numbers
from workloads.chassis.userkeys import Cipher, UserKeys
from workloads.services.transaction import transfers

Numbers = tuple[str | None, ...]
"""As the bank wrote them: the other side's number, None where it told none, then the texts' IBANs, in their order."""
TEXTS: Mapping[str, int] = {"counterparty": 140, "remittance": 1000, "transaction_id": 200, "entry_reference": 200}
"""The texts of a transaction that may name IBANs, in the order in which these are sealed; and what is kept of each."""
_PURPOSE, _UK_PURPOSE = "transaction iban", "transaction uk number"
_MARK, _BETWEEN = "\x1f", "\x1e"
_NO_MARKS = str.maketrans({_MARK: " ", _BETWEEN: " "})
_INDEX_LENGTH = 13
"""With its two marks as long as the shortest IBAN: no text gets longer. 52 bits tell one person's IBANs apart."""
_HIDDEN = re.compile(f"{_MARK}([0-9a-f]{{{_INDEX_LENGTH}}}){_MARK}")
_LONGEST_IBAN = 50
"""With its separators."""


class Hidden(NamedTuple):
    """What is kept of a transaction's texts. index: of the other side's number, None where it told none."""

    texts: dict[str, str | None]
    index: str | None
    numbers: Numbers


def index(cipher: Cipher, iban: str) -> str:
    """The blind index of an IBAN, however it is grouped."""
    return cipher.index(ibans.compact(iban), _PURPOSE)[:_INDEX_LENGTH]


def uk_index(cipher: Cipher, number: str) -> str:
    """The blind index of a sort code and account number, 14 digits."""
    return transfers.UK + cipher.index(number, _UK_PURPOSE)[: _INDEX_LENGTH - len(transfers.UK)]


class Hider:
    """Takes IBANs out of one person's transactions. Those of a list are of few accounts: each is indexed once."""

    def __init__(self, cipher: Cipher) -> None:
        self.cipher = cipher
        self._indexes: dict[str, str] = {}

    def hide(self, texts: Mapping[str, str | None], iban: str | None, uk_number: str | None = None) -> Hidden:
        """Texts without their IBANs, cut to what is kept of each. iban, uk_number: the other side's.

        texts: by the names of ``TEXTS``. The same texts are equal afterwards, without being opened.
        """
        iban = (iban or "")[:_LONGEST_IBAN] or None
        numbers: list[str] = []

        def taken(each: ibans.Found) -> str:
            numbers.append(each.text)
            return f"{_MARK}{self._index(each.iban)}{_MARK}"

        told = _BETWEEN.join((texts[name] or "").translate(_NO_MARKS) for name in TEXTS)
        hidden = dict(zip(TEXTS, ibans.replace(told, taken).split(_BETWEEN), strict=True))
        kept = _cut(hidden, numbers) if numbers else {name: hidden[name][:most] for name, most in TEXTS.items()}
        own = self._index(iban) if iban else self._uk_index(uk_number) if uk_number else None
        if own is None and (named := _HIDDEN.fullmatch(kept["counterparty"])):
            own = named[1]  # some banks name the other side by its number
        number = iban or uk_number
        return Hidden(
            {name: text or None for name, text in kept.items()}, own, (number, *numbers) if number or numbers else ()
        )

    def _index(self, iban: str) -> str:
        if iban not in self._indexes:
            self._indexes[iban] = index(self.cipher, iban)
        return self._indexes[iban]

    def _uk_index(self, number: str) -> str:
        if number not in self._indexes:
            self._indexes[number] = uk_index(self.cipher, number)
        return self._indexes[number]


def _cut(hidden: Mapping[str, str], numbers: list[str]) -> dict[str, str]:
    """What is kept of texts. numbers: the IBANs that were in them, of which those that are cut off go."""
    kept, left, numbers[:] = {}, iter(list(numbers)), []
    for name, text in hidden.items():
        whole = text[: TEXTS[name]]
        if whole.count(_MARK) % 2:  # an index that the cut went through
            whole = whole[: whole.rindex(_MARK)]
        mine = list(itertools.islice(left, text.count(_MARK) // 2))
        numbers += mine[: whole.count(_MARK) // 2]
        kept[name] = whole
    return kept


def seal(cipher: Cipher, numbers: Numbers) -> bytes | None:
    """The IBANs as they are kept; None where there are none."""
    return cipher.seal(json.dumps(numbers), _PURPOSE) if numbers else None


def without(text: str | None) -> str | None:
    """A text that is kept, without the IBANs that stood in it."""
    return text if text is None or _MARK not in text else " ".join(_HIDDEN.sub(" ", text).split()) or None


def indexes(own: str | None, texts: Sequence[str | None]) -> str | None:
    """The blind indexes of all that was hidden, as they are searched. own: of the other side's number."""
    found = [own] if own else []
    for text in texts:
        if text and _MARK in text:
            found += _HIDDEN.findall(text)
    return " ".join(dict.fromkeys(found)) or None


class Texts(NamedTuple):
    """A transaction's texts as its owner sees them."""

    counterparty: str | None
    remittance: str | None
    counterparty_iban: str | None
    counterparty_uk_number: str | None = None


class Opener:
    """Opens one person's rows. Their key is asked for once, and only where there is something to open."""

    def __init__(self, cipher: Callable[[], Cipher]) -> None:
        self._ask = cipher

    @classmethod
    def of(cls, keys: UserKeys, session: Session) -> Opener:
        """For the session's user."""
        return cls(lambda: keys.cipher(session, tenancy.user(session)))

    @cached_property
    def cipher(self) -> Cipher:
        """The person's cipher. Raises Problem 503 when the vault can't be asked."""
        return self._ask()

    def texts(self, row: Mapping[str, Any]) -> Texts:
        """The texts of a transaction, of which counterparty, remittance and ibans are given."""
        sealed = row["ibans"]
        if sealed is None:
            return Texts(row["counterparty"], row["remittance"], None)
        own, *found = from_json(self.cipher.open_bytes(sealed, _PURPOSE))
        numbers = iter(found)
        is_uk = own is not None and own[0].isdigit()  # an IBAN begins with its country
        iban, uk_number = (None, own) if is_uk else (own, None)
        return Texts(_shown(row["counterparty"], numbers), _shown(row["remittance"], numbers), iban, uk_number)

    def sought(self, text: str | None) -> tuple[str, Sequence[str]]:
        """The words to be searched for, and the blind indexes of the account numbers among them."""
        if not text:
            return "", ()
        found = [index(self.cipher, each.iban) for each in ibans.find(text)]
        text = ibans.replace(text, lambda _: " ") if found else text
        for spelled, number in uk_numbers.find(text):
            found.append(uk_index(self.cipher, number))
            text = text.replace(spelled, " ")
        return text, found


def _shown(text: str | None, numbers: Iterator[str]) -> str | None:
    return text if text is None or _MARK not in text else _HIDDEN.sub(lambda _: next(numbers), text)
