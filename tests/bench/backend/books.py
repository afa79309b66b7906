"""Books of a sandbox bank with so many transactions that taking them over can be measured."""

from __future__ import annotations

import datetime
from functools import cache

from schwifty import IBAN

from workloads.services.bank_sandbox.ledger import HISTORY, Account, Customer, Dataset, Series

BANK, LOGIN, PIN = "borealis", "anna", "1111"
FIRST_LOGIN = "ben"
"""A customer with few transactions: with that one, everything was done once before it is measured."""
PAGE = 500
"""Transactions a page: the most that the sandbox bank sends."""
COUNT = 10_000
_SHOPS = ("REWE Markt", "Backhaus Sommer", "Stadtwerke", "Streamhaus", "Hotel Lindner", "Verkehrsbetriebe")
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@cache
def dataset(name: str) -> Dataset:
    """Customers with an account on which the same shops are paid every day. Raises ValueError for another bank.

    Of each the bank tells the IBAN, and every sixth text names one: all of them are sealed on their way.
    """
    if name != BANK:
        raise ValueError(f"the bench's bank is {BANK}, not {name}")
    a_day = -(-COUNT // HISTORY.days)
    series = tuple(
        Series(
            party=f"{_SHOPS[n % 6]} {n}",
            text=f"Zahlung {n}" + ("" if n % 6 else f" von {_iban(n)}"),
            amount=("-1.00", "-99.00"),
            weekly=_DAYS,
            iban=_iban(n),
        )
        for n in range(a_day)
    )
    main, small = _account("DE48500105170532013000", series), _account("DE12500105170648489890", series[:1])
    customers = (
        Customer(login=LOGIN, pin=PIN, accounts=("main",)),
        Customer(login=FIRST_LOGIN, pin=PIN, accounts=("small",)),
    )
    return Dataset(
        bank=BANK, name="Borealis Bank", bic="BORESESSXXX", page_size=PAGE,
        link_base="https://api.borealis.example/psd2", customers=customers,
        accounts={"main": main, "small": small},
    )  # fmt: skip


def _iban(number: int) -> str:
    return str(IBAN.generate("DE", bank_code="37040044", account_code=f"{number:010}"))


def _account(iban: str, series: tuple[Series, ...]) -> Account:
    return Account(
        iban=iban, currency="EUR", name="Konto", owner="Anna Berg", product="Giro",
        opened=datetime.date(2026, 1, 1), opening="0.00", series=series,
    )  # fmt: skip
