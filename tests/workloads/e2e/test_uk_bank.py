"""A UK bank through the same port: consent with OAuth, accounts, balances, all pages of transactions; 90 days."""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Callable, Iterator
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.workloads.connector.test_signature import SEAL
from tests.workloads.platform import RETURN, Platform
from workloads.services.connector import banks, profile
from workloads.services.connector.profile import Profile


@pytest.fixture(params=["uk-open-banking-3.1", "uk-open-banking-4.0", "uk-open-banking-4.0 hybrid"])
def bank(platform: Platform, sandbox: Callable[[str], str], request: pytest.FixtureRequest) -> Iterator[str]:
    """The sandbox bank; its 4.0 names the consent in a signed request object, and wants a signed assertion.

    Hybrid: as FAPI 1.0 Advanced has it, an ID token comes back beside the code.
    """
    state, known = platform.states["connector"], platform.states["connector"].banks["albion"]
    described = profile.load_all()["albion"].model_dump(mode="json", exclude_unset=True)
    described["standard"], _, flow = request.param.partition(" ")
    if flow:
        described["oauth"] |= {
            "response_type": "code id_token", "issuer": "https://api.albion.example",
            "jwks": "https://api.albion.example/oauth/jwks",
        }  # fmt: skip
    if described["standard"].endswith("4.0"):
        described["oauth"] |= {
            "authorization_query": [], "request_object": True, "client_authentication": "private_key_jwt"
        }  # fmt: skip
    base = f"{sandbox('albion')}/open-banking"
    state.banks["albion"] = banks.adapter(Profile.model_validate(described), base, state.tls, SEAL)
    yield sandbox("albion")
    state.banks["albion"].close()
    state.banks["albion"] = known


def came_back(address: str) -> dict[str, str]:
    """What a bank sends an app: in the query, or in the fragment where an ID token is among it."""
    parts = urlsplit(address)
    return {name: each[0] for name, each in parse_qs(parts.fragment or parts.query).items() if name != "consent"}


def test_a_uk_bank_is_connected_and_read_like_any_other(platform: Platform, bank: str) -> None:
    person = f"person-{uuid.uuid4()}"
    asked = {"bank": "albion", "return_address": RETURN}
    started = platform.call(person, "consent", "POST", "/consents", 201, json=asked)
    consent = f"/consents/{started['id']}"
    assert started["authorisation"]["step"] == "oauth"
    page = platform.browser.get(started["authorise_at"]).headers["location"]
    back = came_back(platform.authorise(bank + page))
    given = {name: back[name] for name in ("code", "state", "id_token") if name in back}
    if "id_token" in given:
        forged = given | {"id_token": given["id_token"][:-8] + "AAAAAAAA"}
        for wrong in (forged, {**given, "id_token": None}, {**given, "code": "another"}):
            refused = platform.call(person, "consent", "PUT", f"{consent}/authorisation/code", 422, json=wrong)
            assert refused["type"] == "/problems/id-token-wrong"
    step = platform.call(person, "consent", "PUT", f"{consent}/authorisation/code", json=given)
    assert (step["step"], step["status"]) == ("done", "valid")
    view = platform.call(person, "consent", "GET", consent)
    until, since = (datetime.datetime.fromisoformat(view[name]) for name in ("act_by", "authorised"))
    assert until - since == datetime.timedelta(days=90), "UK: the person confirms after 90 days"

    result = platform.synchronise(person)
    assert result["failures"] == []
    accounts = platform.call(person, "account", "GET", "/accounts")["accounts"]
    assert [(each["number"], each["currency"]) for each in accounts] == [("GB••5555", "GBP")]
    assert {each["kind"] for each in accounts[0]["balances"]} == {"closingBooked", "expected"}
    history = platform.history(person)
    assert len(history) > 50, "of more than two pages"
    assert {each["minor"] < 0 for each in history if each["counterparty"] == "Corner Shop"} == {True}
    assert {each["minor"] for each in history if each["counterparty"] == "Thames Software Ltd"} == {295000}
    platform.call(person, "consent", "DELETE", consent)
    assert platform.synchronise(person)["accounts"] == []
