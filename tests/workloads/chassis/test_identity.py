"""Only a token that holds in every respect identifies a user."""

from __future__ import annotations

import base64
import hmac
import json
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from joserfc.jwk import RSAKey

from tests.workloads.servers import AUDIENCE, Issuer, Servers
from workloads.chassis import token_issuer
from workloads.chassis.calls import trust
from workloads.chassis.identity import Authenticator, CurrentUser, demands
from workloads.chassis.problems import Problem
from workloads.chassis.scopes import Scope
from workloads.chassis.token_issuer import MustAsk, TokenIssuer


@pytest.fixture
def own() -> Iterator[Issuer]:
    issuer = Issuer()
    yield issuer
    issuer.close()


@pytest.fixture
def authenticator(own: Issuer) -> Iterator[Authenticator]:
    issuer = TokenIssuer(own.url, AUDIENCE, trust(None))
    made = Authenticator(issuer, issuer)
    yield made
    made.close()


def test_a_person_is_the_same_user_with_every_token_and_nobody_else(own: Issuer, authenticator: Authenticator) -> None:
    anna, again = authenticator.user(own.token("anna")), authenticator.user(own.token("anna", jti="2"))
    assert anna.id == again.id
    assert anna.id != authenticator.user(own.token("ben")).id
    assert anna.id != authenticator.user(own.token("anna", tid="another-tenant")).id
    assert own.key_requests == 1, "the keys are fetched once"
    assert "eyJ" not in repr(anna)


def test_keys_at_hand_are_enough_and_others_are_asked_for_only_by_who_may_wait(
    own: Issuer, authenticator: Authenticator
) -> None:
    token = own.token("anna")
    with pytest.raises(MustAsk):
        authenticator.user(token, ask=False)
    found = authenticator.user(token)
    assert authenticator.user(token, ask=False) == found
    with pytest.raises(Problem):
        authenticator.user(own.token("anna", aud="api://other"), ask=False)
    own.rotate()
    with pytest.raises(MustAsk):
        authenticator.user(own.token("anna"), ask=False)
    assert own.key_requests == 1


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": "api://other"},
        {"iss": "https://sts.example/other/"},
        {"exp": int(time.time()) - 3600},
        {"nbf": int(time.time()) + 3600},
        {"exp": None},
        {"sub": None, "oid": None},
    ],
    ids=["audience", "issuer", "expired", "not-yet", "no-expiry", "nobody"],
)
def test_a_wrong_claim_is_refused(own: Issuer, authenticator: Authenticator, claims: dict[str, Any]) -> None:
    with pytest.raises(Problem) as refused:
        authenticator.user(own.token("anna", **claims))
    assert refused.value.status == 401
    assert refused.value.headers["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIn0."])
def test_what_is_no_signed_token_is_refused(authenticator: Authenticator, token: str) -> None:
    with pytest.raises(Problem, match="401"):
        authenticator.user(token)


def test_another_key_under_the_issuers_key_id_is_refused(own: Issuer, authenticator: Authenticator) -> None:
    forged = RSAKey.generate_key(2048, {"kid": str(own.keys[0].kid)})
    with pytest.raises(Problem, match="401"):
        authenticator.user(own.token("anna", key=forged))


def test_the_public_key_is_no_shared_secret(own: Issuer, authenticator: Authenticator) -> None:
    secret = own.keys[0].as_pem(private=False)
    claims = {"iss": own.discovery()["issuer"], "aud": AUDIENCE, "sub": "anna", "exp": int(time.time()) + 60}

    def part(content: bytes) -> str:
        return base64.urlsafe_b64encode(content).decode().rstrip("=")

    header = {"alg": "HS256", "kid": own.keys[0].kid}  # made by hand: libraries refuse to make it
    signed = part(json.dumps(header).encode()) + "." + part(json.dumps(claims).encode())
    forged = signed + "." + part(hmac.digest(secret, signed.encode(), "sha256"))
    with pytest.raises(Problem, match="401"):
        authenticator.user(forged)


def test_rotated_keys_are_fetched_again_but_unknown_ones_do_not_hammer_the_issuer(
    own: Issuer, authenticator: Authenticator, monkeypatch: pytest.MonkeyPatch
) -> None:
    authenticator.user(own.token("anna"))
    own.rotate()
    with pytest.raises(Problem, match="401"):
        authenticator.user(own.token("anna"))
    assert own.key_requests == 1, "within the refresh interval"
    monkeypatch.setattr(token_issuer, "_REFRESH_SECONDS", 0.0)
    assert authenticator.user(own.token("anna"))
    assert own.key_requests == 2


def test_an_unreachable_issuer_is_503_and_not_the_users_fault() -> None:
    nowhere = TokenIssuer("http://127.0.0.1:9", AUDIENCE, trust(None))
    authenticator = Authenticator(nowhere, nowhere)
    with pytest.raises(Problem) as refused:
        authenticator.user("eyJhbGciOiJSUzI1NiJ9.e30.c2ln")
    assert (refused.value.status, refused.value.kind) == (503, "issuer-unreachable")


@pytest.mark.parametrize("scp", [None, "", "accounts.reads", ["accounts.read", "accounts.write"], 7, "consents.write"])
def test_a_token_grants_what_its_scp_names_and_no_more(own: Issuer, authenticator: Authenticator, scp: Any) -> None:
    user = authenticator.user(own.token("anna", scp=scp))
    assert user.scopes == (set(scp.split()) if isinstance(scp, str) else set())


def test_an_operation_that_demands_no_scope_answers_nobody(
    own: Issuer, authenticator: Authenticator, servers: Servers
) -> None:
    app = FastAPI()
    app.state.authenticator = authenticator

    @app.get("/open")
    def forgotten(user: CurrentUser) -> None: ...

    @app.get("/read", dependencies=[demands(Scope.ACCOUNTS_READ)])
    def read(user: CurrentUser) -> None: ...

    url, token = servers.serve(app), {"Authorization": f"Bearer {own.token('anna')}"}
    answers = [httpx.get(url + path, headers=token).status_code for path in ("/open", "/read")]
    assert answers == [500, 200]
