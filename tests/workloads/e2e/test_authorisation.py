"""Consent by every approach: what the person is asked for, step by step, until the bank grants it."""

from __future__ import annotations

import datetime
import time
import uuid
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import select, update

from tests.workloads.platform import RETURN, Platform
from tests.workloads.servers import Issuer
from workloads.chassis import clock
from workloads.chassis.tasks import Due, Task
from workloads.services.connector import banks, profile
from workloads.services.connector.models import BankConsent, BankToken
from workloads.services.connector.profile import Profile
from workloads.services.consent import events
from workloads.services.consent.handlers import TASKS

VARIANTS: dict[str, dict[str, Any]] = {
    "aurora-embedded": {"sca": {"approach": "embedded"}, "psu": {"id": "required"}},
    "aurora-decoupled": {"sca": {"approach": "decoupled", "poll_seconds": 1}},
    "aurora-oauth": {"sca": {"approach": "oauth"}, "oauth": {"client_id": "tributary"}},
    "aurora-oauth-spaced": {
        "sca": {"approach": "oauth", "start": "explicit"},
        "oauth": {"client_id": "tributary", "scope": "AIS: {consent_id}", "authorization_endpoint": "/oauth/authorize",
                  "token_endpoint": "https://elsewhere.example/oauth/token"},
    },
}  # fmt: skip
"""The sandbox bank under other profiles: nothing but data differs."""


@pytest.fixture(autouse=True)
def _variants(platform: Platform) -> Iterator[None]:
    state = platform.states["connector"]
    described = profile.load_all()["aurora"].model_dump(mode="json", exclude_unset=True)
    for name, more in VARIANTS.items():
        found = Profile.model_validate({**described, **more, "id": name})
        state.banks[name] = banks.adapter(found, platform.urls["aurora"], state.tls)
    yield
    for name in VARIANTS:
        state.banks.pop(name).close()


@pytest.fixture
def person() -> str:
    return f"person-{uuid.uuid4()}"


def start(platform: Platform, person: str, bank: str, **more: Any) -> tuple[str, dict[str, Any]]:
    asked = {"bank": bank, "return_address": RETURN, **more}
    started = platform.call(person, "consent", "POST", "/consents", 201, json=asked)
    return f"/consents/{started['id']}", started["authorisation"]


def give(platform: Platform, person: str, consent: str, step: str, expect: int = 200, **given: str) -> dict[str, Any]:
    return platform.call(person, "consent", "PUT", f"{consent}/authorisation/{step}", expect, json=given)


def test_a_password_a_method_and_a_one_time_password_make_a_consent_valid(platform: Platform, person: str) -> None:
    consent, step = start(platform, person, "aurora-embedded", psu_id="anna")
    assert (step["step"], step["authorise_at"]) == ("password", None)
    assert give(platform, person, consent, "otp", 409, otp="123456")["step"] == "password", "the steps have an order"
    assert give(platform, person, consent, "password", 422, password="0000")["type"] == "/problems/credentials-wrong"
    step = give(platform, person, consent, "password", password="1111")
    assert [each["id"] for each in step["methods"]] == ["sms", "app"]
    step = give(platform, person, consent, "method", method="sms")
    assert (step["step"], step["challenge"]["otp_max_length"]) == ("otp", 6)
    assert give(platform, person, consent, "otp", 422, otp="000000")["type"] == "/problems/credentials-wrong"
    step = give(platform, person, consent, "otp", otp="123456")
    assert (step["step"], step["status"]) == ("done", "valid")
    assert platform.synchronise(person)["failures"] == []


def test_three_wrong_passwords_end_the_authorisation(platform: Platform, person: str) -> None:
    consent, _ = start(platform, person, "aurora-embedded", psu_id="anna")
    for _ in range(3):
        give(platform, person, consent, "password", 422, password="0000")
    give(platform, person, consent, "password", 502, password="1111")
    assert platform.call(person, "consent", "POST", f"{consent}/refresh")["status"] == "rejected"


def test_a_decoupled_consent_waits_for_the_other_device_and_asks_no_more_often_than_it_may(
    platform: Platform, person: str, issuer: Issuer
) -> None:
    consent, step = start(platform, person, "aurora-decoupled", psu_id="anna")
    assert step["step"] == "decoupled"
    assert "banking app" in step["message"]
    state = platform.states["connector"]
    database, user = state.database, issuer.pseudonym(person)
    bank_consent = platform.call(person, "consent", "GET", consent)["bank_consent_id"]
    first = platform.call(person, "consent", "GET", f"{consent}/authorisation")
    assert (first["step"], first["ask_again"]) == ("decoupled", 1)
    with database.session(user) as session:
        row = session.scalars(select(BankConsent).where(BankConsent.id == uuid.UUID(bank_consent))).one()
        authorisation = row.authorisation_id
    # What the person does on the other device: the sandbox's app is the page of the redirect approach.
    page = f"{platform.urls['aurora']}/authorise/{authorisation}"
    assert platform.authorise(page).startswith(RETURN)
    again = first
    deadline = clock.now() + datetime.timedelta(seconds=60)
    while again["step"] == "decoupled" and clock.now() < deadline:
        time.sleep(0.2)
        again = platform.call(person, "consent", "GET", f"{consent}/authorisation")
    assert (again["step"], again["status"]) == ("done", "valid")


def test_a_decision_on_another_device_is_noticed_though_the_app_is_closed(
    platform: Platform, person: str, issuer: Issuer
) -> None:
    started = platform.call(
        person, "consent", "POST", "/consents", 201,
        json={"bank": "aurora-decoupled", "return_address": RETURN, "psu_id": "anna"},
    )  # fmt: skip
    app, user, consent = platform.states["consent"], issuer.pseudonym(person), uuid.UUID(started["id"])
    with app.database.session() as session:
        planned = [each.kind for each in session.scalars(select(Task).where(Task.item == consent))]
    assert planned == ["poll"]
    poll = TASKS[events.POLL]
    again = poll(Due(user, consent, app.database, app))
    assert again is not None
    assert again > clock.now()
    with platform.states["connector"].database.session(user) as session:
        [authorisation] = session.scalars(select(BankConsent.authorisation_id))
    platform.authorise(f"{platform.urls['aurora']}/authorise/{authorisation}")
    deadline = clock.now() + datetime.timedelta(seconds=60)
    while poll(Due(user, consent, app.database, app)) and clock.now() < deadline:
        time.sleep(0.2)
    assert platform.call(person, "consent", "GET", f"/consents/{consent}")["status"] == "valid"
    assert poll(Due(user, consent, app.database, app)) is None, "it is decided"


@pytest.mark.parametrize("bank", ["aurora-oauth", "aurora-oauth-spaced"])
def test_a_code_becomes_tokens_that_stay_sealed_and_are_renewed(
    platform: Platform, person: str, issuer: Issuer, bank: str
) -> None:
    consent, step = start(platform, person, bank)
    assert step["step"] == "oauth"
    asked = parse_qs(urlsplit(step["authorise_at"]).query)
    assert (asked["code_challenge_method"], asked["response_type"]) == (["S256"], ["code"])
    page = platform.browser.get(step["authorise_at"]).headers["location"]
    back = parse_qs(urlsplit(platform.authorise(platform.urls["aurora"] + page)).query)
    assert back["state"] == asked["state"]
    refused = give(platform, person, consent, "code", 422, code=back["code"][0], state="another")
    assert refused["type"] == "/problems/state-wrong"
    step = give(platform, person, consent, "code", code=back["code"][0], state=back["state"][0])
    assert (step["step"], step["status"]) == ("done", "valid")
    assert platform.synchronise(person)["failures"] == []

    database, user = platform.states["connector"].database, issuer.pseudonym(person)
    with database.session(user) as session:
        before = session.scalars(select(BankToken)).one().access
        session.execute(update(BankToken).values(expires=clock.now()))
    assert platform.synchronise(person)["failures"] == []
    with database.session(user) as session:
        assert session.scalars(select(BankToken)).one().access != before
    give(platform, person, consent, "code", 409, code=back["code"][0])


def test_a_declined_oauth_request_leaves_the_consent_rejected(platform: Platform, person: str) -> None:
    consent, step = start(platform, person, "aurora-oauth")
    page = platform.browser.get(step["authorise_at"]).headers["location"]
    back = platform.authorise(platform.urls["aurora"] + page, decision="deny")
    assert "error=access_denied" in back
    assert platform.call(person, "consent", "POST", f"{consent}/refresh")["status"] == "rejected"
