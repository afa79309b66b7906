"""IBANs are found wherever they stand in a text, and nothing else is taken for one."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError
from schwifty import IBAN
from schwifty.registry import _default_registry

from tests.workloads.seeded import ibans as seeded
from workloads.chassis import ibans, json_text
from workloads.services.account import domain as account

COUNTRIES = ("DE", "SE", "GB", "NO", "FR", "NL", "MT", "BE", "PL")
IBANS = st.builds(
    lambda country, seed: str(IBAN.random(country, random=random.Random(seed), use_registry=False)),
    st.sampled_from(COUNTRIES), st.integers(0, 10_000),
)  # fmt: skip
GROUPS = st.sampled_from([lambda iban: iban, str.lower, lambda iban: IBAN(iban).formatted,
                          lambda iban: "-".join(iban[i : i + 4] for i in range(0, len(iban), 4))])  # fmt: skip
AROUND = st.sampled_from(["", " ", "Miete ", "IBAN:", "/", "Überweisung an ", "\n", "1 x "])


@given(AROUND, IBANS, GROUPS, AROUND)
def test_a_valid_one_is_found_however_it_is_grouped_and_whatever_is_around(
    before: str, iban: str, group: object, after: str
) -> None:
    text = before + group(iban) + after  # type: ignore[operator]  # one of the functions above
    assert [each.iban for each in ibans.find(text)] == [iban]
    assert ibans.replace(text, lambda each: text[each.start : each.end]) == text
    assert ibans.replace(text, lambda _: "#") == f"{before}#{after}"


@pytest.mark.parametrize(
    "text",
    ["", "DE89370400440532013001", "DE8937040044053201300", "RF18539007547034", "XX89370400440532013000",
     "AB12 3456 7890 1234 5678", "Beleg 2026-11-23 vom 23.11.", "DE89  3704  0044  0532  0130  00"],
)  # fmt: skip
def test_what_is_not_valid_is_not_taken_for_one(text: str) -> None:
    assert list(ibans.find(text)) == []
    assert ibans.replace(text, lambda _: "#") == text


def test_every_seeded_one_is_found() -> None:
    assert {each for iban in seeded() for each in [found.iban for found in ibans.find(iban)]} == {
        ibans.compact(each) for each in seeded()
    }


def test_the_shortest_of_all_countries_has_fifteen_characters() -> None:
    specifications = _default_registry._get("iban")
    assert min(IBAN(f"{each}00", allow_invalid=True).spec.iban_length for each in list(specifications)) == 15


def test_a_name_of_the_persons_own_holds_none() -> None:
    name = TypeAdapter(json_text.PlainName)
    assert name.validate_python("Rent 2026") == "Rent 2026"
    with pytest.raises(ValidationError, match="kept sealed alone"):
        name.validate_python("Rent to DE89 3704 0044 0532 0130 00")
    with pytest.raises(ValidationError, match="kept sealed alone"):
        name.validate_python("Rent to 20-20-15 55555555")


def test_a_bank_that_names_an_account_by_its_number_shows_what_its_owner_needs() -> None:
    assert account.shown_name("Konto DE89 3704 0044 0532 0130 00") == "Konto DE••3000"
    assert account.shown_name("Current 20-20-15 55555555") == "Current ••5555"
    assert account.shown_name("Girokonto") == "Girokonto"
    assert account.shown_name(None) is account.shown_name("") is None
