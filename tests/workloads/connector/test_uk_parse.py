"""Answers of UK banks are read as far as they make sense."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.workloads.connector.test_parse import JSON
from workloads.services.connector import uk_parse


@given(st.dictionaries(st.sampled_from(["AccountId", "Account", "Amount", "Status", "CreditDebitIndicator", "Type",
                                        "Data", "MerchantDetails", "CreditorAccount"]), JSON, max_size=6))  # fmt: skip
def test_no_answer_whatever_it_holds_is_an_error_of_ours(body: dict[str, object]) -> None:
    uk_parse.account(body)
    uk_parse.balance(body)
    uk_parse.entry(body)
    uk_parse.listed(body, "Account")


@pytest.mark.parametrize(
    ("told", "status"),
    [("AwaitingAuthorisation", "received"), ("AUTH", "valid"), ("Authorised", "valid"), ("Revoked", "revokedByPsu"),
     ("EXPD", "expired"), ("Other", None), (None, None)],
)  # fmt: skip
def test_a_status_of_either_version_is_told_in_our_words(told: object, status: str | None) -> None:
    assert uk_parse.consent_status(told) == status


@pytest.mark.parametrize(("sign", "minor"), [("Debit", -320), ("CREDIT", 320)])
def test_the_indicator_gives_the_sign(sign: str, minor: int) -> None:
    each = {"Amount": {"Amount": "3.20", "Currency": "GBP"}, "CreditDebitIndicator": sign, "Status": "Booked"}
    found = uk_parse.entry(each)
    assert found is not None
    assert found.amount.minor == minor
    assert uk_parse.entry({**each, "CreditDebitIndicator": None}) is None, "an amount without a sign is not guessed"


def test_a_sort_code_and_an_account_number_are_told_where_that_is_the_scheme() -> None:
    def number(scheme: str, told: object) -> dict[str, object]:
        return {"SchemeName": scheme, "Identification": told}

    uk, iban = "UK.OBIE.SortCodeAccountNumber", number("UK.OBIE.IBAN", "GB33BUKB20201555555555")
    each = {"Amount": {"Amount": "3.20", "Currency": "GBP"}, "CreditDebitIndicator": "Debit", "Status": "Booked"}
    for told, expected in (
        (number(uk, "20201555555555"), "20201555555555"), (number(uk, "20-20-15 55555555"), "20201555555555"),
        (number(uk, 20201555555555), "20201555555555"), (number(uk, "2020155555555"), None),
        (number("UK.OBIE.PAN", "20201555555555"), None), (iban, None), ("20201555555555", None),
    ):  # fmt: skip
        found = uk_parse.entry({**each, "CreditorAccount": told})
        assert found is not None
        assert found.counterparty_uk_number == expected
    both = uk_parse.account({"AccountId": "1", "Account": [iban, number(uk, "20201555555555")]})
    alone = uk_parse.account({"AccountId": "1", "Account": [number(uk, "20201555555555")]})
    assert both
    assert alone
    assert (both.iban, both.other_id, both.uk_number) == ("GB33BUKB20201555555555", None, "20201555555555")
    assert (alone.iban, alone.other_id, alone.uk_number) == (None, "20201555555555", "20201555555555")


def test_an_accounts_currency_is_a_code_or_none() -> None:
    told = [{"AccountId": "1", "Currency": each} for each in ("gbp", "Pounds", "ÄÖÜ", "XXX")]
    assert [account.currency for each in told if (account := uk_parse.account(each))] == ["GBP", None, None, None]
