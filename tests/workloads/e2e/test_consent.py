"""Consent by redirect: what the person does at the bank decides, and nothing else."""

from __future__ import annotations

import uuid
from collections import Counter

import httpx
import pytest

from tests.workloads.platform import RETURN, Platform


@pytest.fixture
def person() -> str:
    return f"person-{uuid.uuid4()}"


def test_the_callback_is_not_believed(platform: Platform, person: str) -> None:
    started = platform.start(person, "aurora")
    consent = f"/consents/{started['id']}"
    assert platform.call(person, "consent", "POST", f"{consent}/refresh")["status"] == "received"
    back = platform.authorise(started["authorise_at"])
    assert back == f"{RETURN}?consent={started['id']}"
    assert platform.call(person, "consent", "GET", consent)["status"] == "received", "nobody has asked the bank yet"
    assert platform.call(person, "consent", "POST", f"{consent}/refresh")["status"] == "valid"
    told = platform.call(person, "consent", "GET", f"{consent}/evidence")["evidence"]
    assert [(each["status"], each["source"]) for each in told] == [("received", "person"), ("valid", "bank")]


def test_a_denied_consent_is_rejected_and_grants_nothing(platform: Platform, person: str) -> None:
    started = platform.start(person, "borealis")
    back = platform.authorise(started["authorise_at"], decision="deny")
    assert back == f"{RETURN}?consent={started['id']}&outcome=declined"
    view = platform.call(person, "consent", "POST", f"/consents/{started['id']}/refresh")
    assert view["status"] == "rejected"
    assert platform.synchronise(person) == {"accounts": [], "failures": []}


def test_a_revoked_consent_is_over_at_the_bank_too_and_the_history_stays(platform: Platform, person: str) -> None:
    consent = platform.connect(person, "aurora")
    platform.synchronise(person)
    platform.settle()
    before = platform.history(person)
    revoked = platform.call(person, "consent", "DELETE", f"/consents/{consent['id']}")
    assert revoked["status"] == "terminatedByTpp"
    path = f"/banks/aurora/consents/{consent['bank_consent_id']}"
    assert platform.call(person, "connector", "GET", f"{path}/status")["status"] == "terminatedByTpp"
    refused = platform.call(person, "connector", "GET", f"{path}/accounts", 409)
    assert refused["type"] == "/problems/consent-invalid"
    assert platform.synchronise(person)["accounts"] == []
    assert platform.history(person) == before
    accounts = platform.call(person, "account", "GET", "/accounts")["accounts"]
    assert {each["connected"] for each in accounts} == {False}


def test_a_new_consent_recognises_the_accounts_and_doubles_nothing(platform: Platform, person: str) -> None:
    first = platform.connect(person, "borealis")
    platform.synchronise(person)
    accounts = platform.call(person, "account", "GET", "/accounts")["accounts"]
    platform.settle()
    before = platform.history(person)

    second = platform.connect(person, "borealis")
    assert platform.call(person, "consent", "GET", f"/consents/{first['id']}")["status"] == "expired"
    result = platform.synchronise(person)
    assert result["failures"] == []
    assert [each["added"] for each in result["accounts"]] == [0, 0, 0]
    again = platform.call(person, "account", "GET", "/accounts")["accounts"]
    assert [each["id"] for each in again] == [each["id"] for each in accounts]
    assert {each["consent_id"] for each in again} == {second["id"]}
    assert platform.history(person) == before


def test_accounts_show_balances_and_only_the_end_of_their_number(platform: Platform, person: str) -> None:
    platform.connect(person, "borealis")
    platform.synchronise(person)
    accounts = platform.call(person, "account", "GET", "/accounts")["accounts"]
    assert Counter(each["number"] for each in accounts) == {"SE••7460": 2, "SE••8970": 1}, "two currencies, one IBAN"
    assert {each["currency"] for each in accounts} == {"SEK", "EUR"}
    assert all({b["kind"] for b in each["balances"]} == {"closingBooked", "expected"} for each in accounts)


def test_unattended_reads_are_counted_and_attended_ones_are_free(platform: Platform, person: str) -> None:
    platform.connect(person, "aurora")
    for _ in range(4):
        assert platform.synchronise(person, attended=False)["failures"] == []
    fifth = platform.synchronise(person, attended=False)
    assert {each["kind"] for each in fifth["failures"]} == {"quota-exhausted"}
    assert platform.synchronise(person)["failures"] == []


def test_an_unknown_bank_and_a_foreign_return_address_are_refused(platform: Platform, person: str) -> None:
    missing = {"bank": "no-such-bank", "return_address": RETURN}
    assert platform.call(person, "consent", "POST", "/consents", 404, json=missing)["type"] == "/problems/not-found"
    for address in ("javascript:alert(1)", "http://app.example/", "https://u:p@app.example/", "//app.example"):
        asked = {"bank": "aurora", "return_address": address}
        assert platform.call(person, "consent", "POST", "/consents", 422, json=asked)["status"] == 422


def test_the_page_lets_nobody_decide_without_signing_in_and_only_once(platform: Platform, person: str) -> None:
    started = platform.start(person, "aurora")
    page, browser = started["authorise_at"], platform.browser
    forged = browser.post(f"{page}/decision", data={"ticket": str(uuid.uuid4()), "decision": "approve"})
    assert forged.status_code == 409
    for status in (401, 401, 303):
        assert browser.post(f"{page}/login", data={"login": "anna", "pin": "0000"}).status_code == status
    assert browser.post(f"{page}/login", data={"login": "anna", "pin": "1111"}).status_code == 409
    view = platform.call(person, "consent", "POST", f"/consents/{started['id']}/refresh")
    assert view["status"] == "rejected"
    assert httpx.get(page).status_code == 409


@pytest.mark.parametrize("address", ["", "nobody", "10.0.0.1, 10.0.0.2"])
def test_what_is_no_address_is_not_taken_for_somebody_who_is_there(
    platform: Platform, person: str, address: str
) -> None:
    told = {"PSU-IP-Address": address}
    platform.call(person, "connector", "GET", f"/banks/aurora/consents/{uuid.uuid4()}/accounts", 422, headers=told)
