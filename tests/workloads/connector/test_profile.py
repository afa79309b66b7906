"""A bank is described by data; what the data can't mean is refused when it is read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from workloads.chassis import clock
from workloads.services.connector import profile
from workloads.services.connector.consent_body import consent_body
from workloads.services.connector.profile import Profile, ProfileError
from workloads.services.connector.request import build

MINIMAL: dict[str, Any] = {
    "id": "bank",
    "name": "Bank",
    "countries": ["DE"],
    "jurisdiction": "EU",
    "base_url": "https://api.bank.example/xs2a",
}
VALUES = {"consent_id": "c=/1", "account_id": "a b", "date_from": "2026-01-01", "date_to": "2026-02-01",
          "booking_status": "booked", "redirect_uri": "https://app.example/r", "psu_id": None}  # fmt: skip


def bank(**more: Any) -> Profile:
    return Profile.model_validate({**MINIMAL, **more})


def test_every_profile_of_the_repository_is_valid() -> None:
    assert {"aurora", "borealis", "deutsche-bank"} <= set(profile.load_all())


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"unknown": 1}, "unknown"),
        ({"headers": {"PSU-IP-Address": "0.0.0.0"}}, "can't be set by a profile"),
        ({"headers": {"X Y": "z"}}, "can't be set"),
        ({"headers": {"X": "a\r\nB: c"}}, "control character"),
        ({"headers": {"X": "{secret}"}}, "secret is no variable; allowed"),
        ({"operations": {"pay": {}}}, "pay is no operation; allowed"),
        ({"operations": {"accounts": {"path": "https://evil.example/"}}}, "a path starts with /"),
        ({"consent": {"recurring": False}}, "frequency 1"),
        ({"sca": {"approach": "guessed"}}, "redirect"),
        ({"sca": {"approach": "oauth"}}, "want an oauth section"),
        ({"jurisdiction": "US"}, "EU"),
    ],
)
def test_a_wrong_profile_is_refused_by_name(more: dict[str, Any], said: str, tmp_path: Path) -> None:
    path = tmp_path / "bank.yaml"
    path.write_text(yaml.safe_dump({**MINIMAL, **more}))
    with pytest.raises(ProfileError) as refused:
        profile.load(path)
    assert "bank.yaml" in str(refused.value)
    assert said in str(refused.value)


def test_the_file_is_named_after_the_bank(tmp_path: Path) -> None:
    path = tmp_path / "other.yaml"
    path.write_text(yaml.safe_dump(MINIMAL))
    with pytest.raises(ProfileError, match=r"bank\.yaml"):
        profile.load(path)


def test_the_query_keeps_the_banks_order_and_leaves_out_what_has_no_value() -> None:
    query = [["withBalance", "true"], ["psu", "{psu_id}"], ["dateTo", "{date_to}"], ["dateFrom", "{date_from}"]]
    wanted = bank(operations={"transactions": {"path": "/v2/accounts/{account_id}/tx", "query": query}})
    asked = build(wanted, "https://gate.example/p/", "transactions", VALUES, None, None, clock.now())
    assert asked.url == (
        "https://gate.example/p/v2/accounts/a%20b/tx?withBalance=true&dateTo=2026-02-01&dateFrom=2026-01-01"
    )


def test_headers_are_added_replaced_and_left_out_as_the_profile_says() -> None:
    wanted = bank(
        accept="application/json, */*",
        headers={"Date": "{http_date}", "accept": "text/json", "X-Customer": "{psu_id}"},
        operations={"create_consent": {"headers": {"X-Only": "here"}, "omit_headers": ["TPP-Redirect-Preferred"]}},
    )
    asked = build(wanted, "https://h", "create_consent", VALUES, "192.0.2.1", None, clock.now()).headers
    assert asked["Date"].endswith(" GMT")
    assert asked["accept"] == "text/json"
    assert {"X-Customer", "Accept", "TPP-Redirect-Preferred", "PSU-ID"}.isdisjoint(asked)
    assert (asked["X-Only"], asked["PSU-IP-Address"]) == ("here", "192.0.2.1")
    read = build(wanted, "https://h", "accounts", VALUES, None, None, clock.now()).headers
    assert read["Consent-ID"] == "c=/1"
    assert {"X-Only", "PSU-IP-Address", "TPP-Redirect-URI"}.isdisjoint(read)


@pytest.mark.parametrize(
    ("form", "access"),
    [
        ({"access": "bankOffered", "scopes": ["accounts", "balances"]}, {"accounts": [], "balances": []}),
        ({"access": "allPsd2"}, {"allPsd2": "allAccounts"}),
        ({"access": "availableAccounts", "everything": "allAccountsWithOwnerName"},
         {"availableAccounts": "allAccountsWithOwnerName"}),
        ({"access": "accounts", "scopes": ["transactions"], "reference": ["iban", "currency"]},
         {"transactions": [{"iban": "DE89370400440532013000", "currency": "EUR"}]}),
    ],
)  # fmt: skip
def test_the_consent_takes_the_banks_form(form: dict[str, Any], access: dict[str, Any]) -> None:
    accounts = [{"iban": "DE89370400440532013000", "currency": "EUR"}]
    body = consent_body(bank(consent={**form, "body": {"extra": 1}}), accounts, clock.today())
    assert body["access"] == access
    assert body["validUntil"] == "9999-12-31"
    assert (body["recurringIndicator"], body["frequencyPerDay"], body["extra"]) == (True, 4, 1)
