"""Money: an integer number of minor units and an ISO 4217 code. Never a float."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Self

_EXPONENTS = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    3: "BHD IQD JOD KWD LYD OMR TND",
    4: "CLF UYW",
}
"""ISO 4217 minor units that are not 2 (list one, published 2024-06)."""
_EXPONENT = {code: exponent for exponent, codes in _EXPONENTS.items() for code in codes.split()}
_CODE = re.compile("[A-Z]{3}")
_AMOUNT = re.compile(r"[+-]?[0-9]{1,14}(\.[0-9]{1,9})?")
_LARGEST = 10**17
"""Fits a signed 64-bit column with room to sum."""


class InvalidMoney(ValueError):
    """An amount or currency that is not money; the message says what is allowed."""


class CurrencyMismatch(ValueError):
    """Two amounts in different currencies cannot be added or compared."""


def exponent(currency: str) -> int:
    """How many decimal digits a currency's minor unit has (ISO 4217)."""
    return _EXPONENT.get(currency, 2)


def decimal(minor: int, currency: str) -> str:
    """Minor units as text in major units, with the currency's digits: what ``Money`` says of itself."""
    digits = exponent(currency)
    whole, rest = divmod(abs(minor), 10**digits)
    sign = "-" if minor < 0 else ""
    return f"{sign}{whole}.{rest:0{digits}}" if digits else f"{sign}{whole}"


@dataclass(frozen=True)
class Money:
    """An amount. minor: signed minor units (cents for EUR). currency: ISO 4217 alphabetic code."""

    minor: int
    currency: str

    def __post_init__(self) -> None:
        if not _CODE.fullmatch(self.currency):
            raise InvalidMoney(f"currency {self.currency!r} is not an ISO 4217 code such as EUR")
        if not -_LARGEST < self.minor < _LARGEST:
            raise InvalidMoney(f"an amount of {self.minor} minor units is beyond ±{_LARGEST}")

    @classmethod
    def parse(cls, amount: str | int | Decimal, currency: str) -> Self:
        """From decimal text such as "-12.50" (Berlin Group amountValue). Trailing zeros beyond the minor unit pass.

        Raises InvalidMoney when the text is not a decimal or is finer than the currency's minor unit.
        """
        text = str(amount).strip()
        if not _AMOUNT.fullmatch(text):
            raise InvalidMoney(f"amount {text[:40]!r} is not a decimal such as -12.50")
        try:
            scaled = Decimal(text).scaleb(exponent(currency))
        except InvalidOperation:
            raise InvalidMoney(f"amount {text[:40]!r} is not a decimal such as -12.50") from None
        if scaled != scaled.to_integral_value():
            raise InvalidMoney(f"amount {text!r} is finer than the minor unit of {currency}")
        return cls(int(scaled), currency)

    @classmethod
    def zero(cls, currency: str) -> Self:
        """Nothing, in a currency."""
        return cls(0, currency)

    @property
    def is_negative(self) -> bool:
        """Whether it is below zero."""
        return self.minor < 0

    def __str__(self) -> str:
        return decimal(self.minor, self.currency)

    def __neg__(self) -> Money:
        return Money(-self.minor, self.currency)

    def __abs__(self) -> Money:
        return Money(abs(self.minor), self.currency)

    def __add__(self, other: Money) -> Money:
        self._same(other)
        return Money(self.minor + other.minor, self.currency)

    def __sub__(self, other: Money) -> Money:
        return self + -other

    def __lt__(self, other: Money) -> bool:
        self._same(other)
        return self.minor < other.minor

    def _same(self, other: Money) -> None:
        if other.currency != self.currency:
            raise CurrencyMismatch(f"{self.currency} and {other.currency} can't be combined")
