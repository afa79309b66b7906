"""Money never loses a minor unit."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workloads.chassis.money import CurrencyMismatch, InvalidMoney, Money, exponent

CURRENCIES = st.sampled_from(["EUR", "SEK", "JPY", "KWD", "CLF"])
MINOR = st.integers(-(10**14) + 1, 10**14 - 1)  # XS2A amounts have at most 14 digits before the point


@given(MINOR, CURRENCIES)
def test_text_and_minor_units_say_the_same(minor: int, currency: str) -> None:
    assert Money.parse(str(Money(minor, currency)), currency) == Money(minor, currency)


@given(MINOR, CURRENCIES)
def test_text_has_the_currencys_digits_and_is_exact(minor: int, currency: str) -> None:
    assert str(Money(minor, currency)) == f"{Decimal(minor).scaleb(-exponent(currency)):f}"


@given(MINOR, MINOR, CURRENCIES)
def test_sums_are_exact(first: int, second: int, currency: str) -> None:
    total = Money(first, currency) + Money(second, currency)
    assert total.minor == first + second
    assert total - Money(second, currency) == Money(first, currency)


@pytest.mark.parametrize(
    ("text", "currency", "minor"),
    [("12.5", "EUR", 1250), ("-0.01", "EUR", -1), ("100", "JPY", 100), ("1.234", "KWD", 1234), ("5.000", "EUR", 500),
     ("+3", "SEK", 300), ("100.00", "JPY", 100)],
)  # fmt: skip
def test_a_currency_has_its_own_minor_unit(text: str, currency: str, minor: int) -> None:
    assert Money.parse(text, currency).minor == minor


@pytest.mark.parametrize("text", ["", "1,50", "1.005", "NaN", "1e3", "--1", "0x10", "1.2.3", "٣", "9" * 16])
def test_what_is_no_amount_is_refused(text: str) -> None:
    with pytest.raises(InvalidMoney):
        Money.parse(text, "EUR")


@pytest.mark.parametrize("currency", ["", "eur", "EU", "EURO", "E1R"])
def test_what_is_no_currency_is_refused(currency: str) -> None:
    with pytest.raises(InvalidMoney):
        Money(1, currency)


def test_currencies_do_not_mix() -> None:
    with pytest.raises(CurrencyMismatch):
        Money(1, "EUR") + Money(1, "USD")
    assert exponent("EUR") == 2
