"""Nothing of a person is told where others read: logs, traces, errors, events; over every way to authorise."""

from __future__ import annotations

import io
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

import psycopg
import pytest

from tests.end_to_end.stores import rows_with
from tests.workloads.e2e.test_authorisation import VARIANTS
from tests.workloads.leaks import Sinks, collected
from tests.workloads.platform import RETURN, Platform
from tests.workloads.seeded import ibans, uk_numbers, words
from tests.workloads.servers import ADMINISTRATOR, Postgres
from workloads.services.bank_sandbox import embedded
from workloads.services.connector import banks, profile, tokens
from workloads.services.connector.profile import Profile
from workloads.services.privacy.domain import HOLDERS

OTP, WRONG_OTP, PASSWORD = "7319402658", "4400718293", "Wolkenbruch-77"
MARK = "Kleiderschrank Nordseite"
"""What the person writes of their own."""


@dataclass
class Seen:
    """What was in play: secrets, and everything that was told where others read."""

    sinks: Sinks
    secrets: set[str] = field(default_factory=lambda: {OTP, WRONG_OTP, PASSWORD, MARK})


@pytest.fixture
def sinks(platform: Platform, log: io.StringIO) -> Iterator[Sinks]:
    """What is logged, traced, published and answered."""
    assert platform.bus
    with collected(log, platform.bus.published) as found:
        yield found


@pytest.fixture
def seen(
    platform: Platform, sinks: Sinks, monkeypatch: pytest.MonkeyPatch, sandbox: Callable[[str], str]
) -> Iterator[Seen]:
    """Tokens of banks as they are kept, beside what is told."""
    found, keep = Seen(sinks), tokens.keep

    def kept(session: Any, cipher: Any, user: uuid.UUID, consent: uuid.UUID, given: tokens.Tokens) -> None:
        found.secrets |= {each for each in (given.access, given.refresh) if each}
        keep(session, cipher, user, consent, given)

    monkeypatch.setattr(tokens, "keep", kept)
    monkeypatch.setattr(embedded, "OTP", OTP)
    state = platform.states["connector"]
    described = profile.load_all()["aurora"].model_dump(mode="json", exclude_unset=True)
    for name, more in VARIANTS.items():
        made = Profile.model_validate({**described, **more, "id": name})
        state.banks[name] = banks.adapter(made, platform.urls["aurora"], state.tls)
    known, uk = state.banks["albion"], profile.load_all()["albion"]
    state.banks["albion"] = banks.adapter(uk, f"{sandbox('albion')}/open-banking", state.tls)
    yield found
    state.banks["albion"].close()
    state.banks["albion"] = known
    for name in VARIANTS:
        state.banks.pop(name).close()


def start(platform: Platform, person: str, bank: str, **more: Any) -> dict[str, Any]:
    asked = {"bank": bank, "return_address": RETURN, **more}
    return platform.call(person, "consent", "POST", "/consents", 201, json=asked)


def embedded_consent(platform: Platform, person: str) -> None:
    """By password and one-time password, each given wrongly first."""
    path = f"/consents/{start(platform, person, 'aurora-embedded', psu_id='anna')['id']}/authorisation"
    steps = (
        ("password", 422, {"password": PASSWORD}), ("password", 200, {"password": "1111"}),
        ("otp", 409, {"otp": WRONG_OTP}), ("method", 422, {"method": MARK * 9}), ("method", 200, {"method": "sms"}),
        ("otp", 422, {"otp": WRONG_OTP}), ("otp", 422, {"otp": [OTP]}), ("otp", 200, {"otp": OTP}),
    )  # fmt: skip
    for step, expect, given in steps:
        platform.call(person, "consent", "PUT", f"{path}/{step}", expect, json=given)


def oauth_consent(platform: Platform, person: str, seen: Seen) -> None:
    """By a code, which is tried a second time."""
    started = start(platform, person, "aurora-oauth")
    page = platform.browser.get(started["authorise_at"]).headers["location"]
    back = parse_qs(urlsplit(platform.authorise(platform.urls["aurora"] + page)).query)
    code, state = back["code"][0], back["state"][0]
    seen.secrets |= {code, state}
    path = f"/consents/{started['id']}/authorisation/code"
    for expect, given in ((422, {"code": code, "state": MARK}), (200, {"code": code, "state": state}),
                          (409, {"code": code, "state": state})):  # fmt: skip
        platform.call(person, "consent", "PUT", path, expect, json=given)


def everyday(platform: Platform, person: str) -> None:
    """What a person writes, and gets wrong."""
    platform.call(person, "help", "POST", "/tickets", 201, json={"subject": MARK, "text": f"{MARK}, {PASSWORD}"})
    budget = {"name": MARK, "categories": ["eating-out"], "currency": "EUR", "limit": 100, "start": "2026-01"}
    platform.call(person, "budget", "POST", "/budgets", 201, json=budget)
    platform.call(person, "budget", "POST", "/budgets", 422, json=budget | {"limit": MARK})
    platform.call(person, "transaction", "GET", "/transactions", params={"text": MARK})
    phone = {"platform": "fcmv1", "channel": f"phone-of-{PASSWORD}"}
    platform.call(person, "notification", "POST", "/devices", 201, json=phone)
    platform.call(person, "notification", "POST", "/devices", 422, json=phone | {"channel": MARK})
    platform.call(person, "transaction", "GET", "/transactions", 400, params={"cursor": MARK})
    for iban in sorted(ibans())[:2]:
        platform.call(person, "account", "GET", f"/accounts/{iban}", 422)
        wrong = {"bank": "aurora", "return_address": RETURN, "accounts": [{"iban": iban, "currency": MARK}]}
        platform.call(person, "consent", "POST", "/consents", 422, json=wrong)


def every_iban_is_sealed(platform: Platform, server: Postgres, person: str) -> None:
    """No service keeps one in clear, and its owner sees and finds each."""
    history = platform.history(person)
    shown = {each["counterparty_iban"] for each in history} - {None}
    assert shown >= {"DE89370400440532013000", "DE02100100100006820101"}
    in_texts = [each for each in history if any(iban in (each["remittance"] or "") for iban in ibans())]
    assert {each["bank"] for each in in_texts} == {"aurora-oauth", "borealis"}
    for iban in sorted(shown)[:2]:
        found = platform.history(person, text=f"{iban[:4]} {iban[4:]}")
        assert found
        assert found == [each for each in history if iban in (each["counterparty_iban"], _last(each["remittance"]))]
    uk = next(each for each in history if each["counterparty_uk_number"])
    assert uk["counterparty_uk_number"] == "20-20-16 12345678"
    assert uk in platform.history(person, text="20-20-16 12345678")
    for service in sorted(HOLDERS | {"privacy", "audit"}):
        with _database(server, service) as database:
            assert rows_with(database, ibans() | uk_numbers()) == {}, service
    with _database(server, "transaction") as database:
        owner = platform.call(person, "user", "GET", "/profile")["id"]
        assert rows_with(database, [owner])["ledger_transaction"] == len(history), "it is looked into"


def _database(server: Postgres, service: str) -> psycopg.Connection[Any]:
    return psycopg.connect(dbname=f"platform_{service}", host=str(server.socket_folder), user=ADMINISTRATOR)


def _last(remittance: str | None) -> str:
    """The IBAN at a text's end."""
    return "".join((remittance or "").split())[-22:]


def test_no_seeded_name_number_token_or_password_is_logged_traced_answered_or_published(
    platform: Platform, seen: Seen, server: Postgres
) -> None:
    assert platform.bus
    person = f"leaks-{uuid.uuid4()}"
    platform.connect(person, "borealis")
    platform.connect(person, "aurora", login="ben", pin="2222")
    platform.connect(person, "albion")
    embedded_consent(platform, person)
    oauth_consent(platform, person, seen)
    kinds = {each["kind"] for each in platform.synchronise(person)["failures"]}
    assert kinds == {"consent-expired"}, "of anna's two at one bank, the newer ended the older"
    everyday(platform, person)
    platform.settle()

    assert len(seen.secrets) >= 8, "the bank's access and refresh token, code and state among them"
    told = seen.sinks.told
    signs = {
        "logs": '"route": "/synchronisations"', "traces": "/authorisation/otp", "errors": "credentials-wrong",
        "events": "transactions.categorised",
    }  # fmt: skip
    for where, sign in signs.items():
        assert sign in told[where], f"{where} are looked into"
    own = {person, platform.issuer.token(person), f"{person}@tributary.test"}
    assert seen.sinks.leaks({*words(), *uk_numbers(), *seen.secrets, *own}) == {}
    every_iban_is_sealed(platform, server, person)
