"""Banks' answers are read as far as they make sense; what does not is counted, never guessed."""

from __future__ import annotations

import json

import pycountry
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.workloads.wiremock import STUBS
from workloads.chassis.money import Money
from workloads.services.connector import parse, uk_parse
from workloads.services.connector.currencies import KNOWN

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.sampled_from(["a\x00", "\ud800"]),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(["accounts", "booked", "pending", "transactionAmount", "amount", "currency", "iban",
                         "balances", "resourceId", "_links", "creditorName", "bookingDate"]) | st.text(max_size=3),
        inner, max_size=4),
    max_leaves=15,
)  # fmt: skip


@given(JSON)
def test_no_answer_whatever_it_holds_is_an_error_of_ours(body: object) -> None:
    found = [*parse.accounts(body), *parse.balances(body), *parse.entries(body, by_party=True)[0]]
    assert not [each for each in found if r"\u0000" in each.model_dump_json()], "PostgreSQL keeps no such text"


def test_text_that_no_database_keeps_does_not_keep_a_history_from_being_read() -> None:
    told = json.loads(
        r"""{"creditorName": "Caf\u00e9\u0000 \ud83d", "transactionId": "T\u0000",
             "remittanceInformationUnstructured": "\ud83d\ude00",
             "transactionAmount": {"amount": "-1", "currency": "EUR"}}"""
    )
    [found], unreadable = parse.entries({"booked": [told]}, by_party=False)
    assert (found.counterparty, found.remittance, found.transaction_id, unreadable) == ("Café", "😀", "T", 0)
    assert found.model_dump_json()


@pytest.mark.parametrize("nothing", ["NOTPROVIDED", "notprovided", "NONREF", "Not Provided"])
def test_what_banks_write_where_there_is_no_reference_names_no_transaction(nothing: str) -> None:
    told = {"transactionAmount": {"amount": "-2.80", "currency": "EUR"}, "bookingDate": "2026-01-02"}
    named = {"transactionId": nothing, "entryReference": nothing}
    found = parse.entries({"booked": [told | named] * 2}, by_party=False)[0]
    assert [(each.transaction_id, each.entry_reference) for each in found] == [(None, None)] * 2
    uk = {"Amount": {"Amount": "2.80", "Currency": "GBP"}, "CreditDebitIndicator": "Debit", "Status": "BOOK"}
    other = uk_parse.entry(uk | {"TransactionId": nothing, "TransactionReference": nothing})
    assert other
    assert (other.transaction_id, other.entry_reference) == (None, None)


def test_every_currency_that_circulates_is_known_and_codes_for_none_are_not() -> None:
    """The outside judge is pycountry's ISO 4217."""
    told = {each.alpha_3 for each in pycountry.currencies}
    no_money = {"XAD", "XBA", "XBB", "XBC", "XBD", "XSU", "XTS", "XUA", "XXX"}
    assert told - no_money <= KNOWN
    assert not KNOWN & no_money
    assert parse.money({"amount": "1.00", "currency": "eur"}) == Money(100, "EUR")
    for currency in ("QQQ", "XXX", "", "EURO"):
        assert parse.money({"amount": "1.00", "currency": currency}) is None


def test_nulls_numbers_and_old_forms_are_read() -> None:
    report = {
        "booked": [
            {"transactionAmount": {"amount": "-12.5", "currency": "eur"}, "bookingDate": "2026-01-02T00:00:00Z",
             "transactionId": 77, "creditorName": None, "remittanceInformationUnstructuredArray": ["a ", " b"]},
            {"amount": {"content": "3", "currency": "JPY"}},
            {"transactionAmount": {"amount": None, "currency": "EUR"}},
            "nonsense",
        ],
        "pending": None,
    }  # fmt: skip
    found, unreadable = parse.entries(report, by_party=False)
    assert unreadable == 2
    assert [(each.amount.minor, each.amount.currency) for each in found] == [(-1250, "EUR"), (3, "JPY")]
    assert found[0].transaction_id == "77"
    assert str(found[0].booking_date) == "2026-01-02"
    assert found[0].remittance == "a b"
    assert found[1].transaction_id is None
    assert found[1].booking_date is None


@pytest.mark.parametrize(
    ("fields", "minor"), [({"creditorName": "Shop"}, -500), ({"debtorName": "Boss"}, 500), ({}, 500)]
)
def test_unsigned_amounts_get_their_sign_by_party_where_the_profile_says_so(fields: dict[str, str], minor: int) -> None:
    report = {"booked": [{"transactionAmount": {"amount": "5.00", "currency": "EUR"}, **fields}]}
    assert parse.entries(report, by_party=True)[0][0].amount.minor == minor
    assert parse.entries(report, by_party=False)[0][0].amount.minor == 500


def test_an_account_without_resource_id_is_named_by_its_links() -> None:
    links = {"balances": {"href": "https://h/v1/accounts/R1/balances?x=1"}}
    found = parse.accounts({"accounts": [{"iban": "de89 3704 0044 0532 0130 00", "_links": links}, {"iban": "x"}]})
    assert [(each.resource_id, each.iban) for each in found] == [("R1", "DE89370400440532013000")]


def test_the_sample_bodies_of_other_banks_are_read() -> None:
    if not STUBS.is_dir():
        pytest.skip(f"the recordings are not at {STUBS}")
    body = json.loads((STUBS / "adorsys" / "ais" / "get-accounts" / "response-body.json").read_text())
    assert [each.currency for each in parse.accounts(body)] == ["EUR"]
    body = json.loads((STUBS / "adorsys" / "ais" / "get-balances" / "response-body.json").read_text())
    assert {each.amount.minor for each in parse.balances(body["balances"])} == {1712000}
    body = json.loads((STUBS / "sparkasse" / "ais" / "get-accounts.json").read_text())["response"]["body"]
    assert parse.accounts(body)[0].iban == "DE86999999990000001000"
