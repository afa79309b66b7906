"""People sign in once in a browser, each on their own; a refusal says who and why. Against a tenant of the test's."""

from __future__ import annotations

import base64
import functools
import json
import threading
import time
import webbrowser
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import msal
import pytest

from tests.end_to_end.sign_in import SignIn

pytestmark = pytest.mark.timeout(60)  # msal waits ten minutes for a person
ISSUER = "https://7e4a7c11.ciamlogin.example/7e4a7c11-0c0a-4d5e-9d3b-7f1b0a2c4401/v2.0"


class Answer:
    """What msal reads of an answer."""

    def __init__(self, body: dict[str, Any], status: int = 200) -> None:
        self.text, self.status_code, self.headers = json.dumps(body), status, {}

    def raise_for_status(self) -> None:
        assert self.status_code < 400


class Tenant:
    """An authority with the endpoints that a public client asks, and a person at the browser who agrees."""

    def __init__(self) -> None:
        self.asked: list[dict[str, str]] = []
        self.signed_in: list[dict[str, str]] = []
        self.refusal: dict[str, str] = {}

    def get(self, url: str, **_: object) -> Answer:
        assert url == f"{ISSUER}/.well-known/openid-configuration"
        ends = {f"{name}_endpoint": f"{ISSUER}/oauth2/{name}" for name in ("authorization", "token")}
        return Answer({"issuer": ISSUER, **ends})

    def post(self, url: str, *, data: dict[str, str], **_: object) -> Answer:
        assert url == f"{ISSUER}/oauth2/token"
        self.asked.append(data)
        if self.refusal:
            return Answer(self.refusal, 400)
        who = len(self.signed_in)
        return Answer(
            {
                "access_token": f"token {who}",
                "refresh_token": f"renewal {who}",
                "expires_in": 3600,
                "token_type": "Bearer",
                "client_info": _encoded({"uid": f"{who}", "utid": "tenant"}),
                "id_token": f"e30.{_encoded(self._claims())}.x",
            }
        )

    def _claims(self) -> dict[str, object]:
        nonce = self.signed_in[-1]["nonce"]
        return {"iss": ISSUER, "aud": "app", "sub": "s", "exp": time.time() + 3600, "iat": 0, "nonce": nonce}

    def browse(self, address: str, *_: object, **__: object) -> bool:
        """A browser in which somebody signs in at once."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        self.signed_in.append(asked)
        back = {"code": "a code", "state": asked["state"]}
        threading.Thread(target=httpx.post, args=(asked["redirect_uri"],), kwargs={"data": back}).start()
        return True


def _encoded(claims: dict[str, object]) -> str:
    return base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")


@pytest.fixture
def tenant(monkeypatch: pytest.MonkeyPatch) -> Tenant:
    made = Tenant()
    client = functools.partial(msal.PublicClientApplication, http_client=made)
    monkeypatch.setattr(msal, "PublicClientApplication", client)
    monkeypatch.setattr(webbrowser, "open", made.browse)
    return made


def test_each_person_signs_in_once_and_at_the_loopback_address(tenant: Tenant) -> None:
    said: list[str] = []
    people = SignIn(ISSUER, "app", "api", say=said.append)
    assert [people.token(each) for each in ("anna", "ben", "anna", "ben")] == [f"token {i}" for i in (1, 2, 1, 2)]
    assert len(tenant.signed_in) == 2
    for asked in tenant.signed_in:
        assert asked["redirect_uri"].startswith("http://localhost:")
        assert (asked["client_id"], asked["prompt"], asked["code_challenge_method"]) == ("app", "login", "S256")
        assert "api/.default" in asked["scope"].split()
    assert [each for each in said if "anna" in each]
    assert not [each for each in said if "token" in each]


def test_a_sign_in_that_the_tenant_refuses_says_who_and_why(tenant: Tenant) -> None:
    tenant.refusal = {"error": "access_denied", "error_description": "AADSTS65004: declined."}
    with pytest.raises(RuntimeError, match=r"anna was not signed in at https://.*: access_denied, AADSTS65004"):
        SignIn(ISSUER, "app", "api", say=lambda _: None).token("anna")
