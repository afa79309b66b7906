"""An ID token of the hybrid flow is held to the request that it answers; one that says anything else proves nothing."""

from __future__ import annotations

import time
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, RSAKey
from pydantic import ValidationError

from workloads.chassis import clock
from workloads.services.connector import id_token
from workloads.services.connector.failures import BankFailure
from workloads.services.connector.sections.oauth import OAuth

EC, RSA = ECKey.generate_key("P-256", {"kid": "ec"}), RSAKey.generate_key(2048, {"kid": "rsa"})
KEYS = {"keys": [EC.as_dict(private=False), RSA.as_dict(private=False)]}
EXPECTED = id_token.Expected(issuer="https://bank.example", client_id="us", nonce="n", code="c", state="s", intent="42")


def claims(**other: Any) -> dict[str, Any]:
    now = int(time.time())
    told = {
        "iss": EXPECTED.issuer, "aud": "us", "sub": "42", "iat": now, "exp": now + 300, "nonce": "n",
        "c_hash": id_token.half_hash("c"), "s_hash": id_token.half_hash("s"), "openbanking_intent_id": "42",
    }  # fmt: skip
    return {name: value for name, value in {**told, **other}.items() if value is not None}


@pytest.mark.parametrize(("key", "algorithm"), [(EC, "ES256"), (RSA, "PS256")])
def test_a_token_of_this_request_holds(key: Any, algorithm: str) -> None:
    id_token.check(
        jwt.encode({"alg": algorithm, "kid": key.kid}, claims(), key, [algorithm]), KEYS, EXPECTED, clock.now()
    )


def test_the_hash_is_openid_connects_own_example() -> None:
    code = "Qcb0Orv1zh30vL1MPRsbm-diHiMwcLyZvn1arpZv-Jxf_11jnpEX3Tgfvk"
    assert id_token.half_hash(code) == "LDktKdoQak3Pk0cnXxCltA", "OpenID Connect Core 1.0, appendix A.4"


@pytest.mark.parametrize(
    "other",
    [
        {"nonce": "m"}, {"nonce": None}, {"c_hash": id_token.half_hash("d")}, {"c_hash": None}, {"s_hash": None},
        {"s_hash": id_token.half_hash("t")}, {"openbanking_intent_id": "43"}, {"iss": "https://other.example"},
        {"aud": "them"}, {"exp": 1}, {"exp": None}, {"iat": None}, {"sub": None},
    ],
    ids=str,
)  # fmt: skip
def test_a_token_of_anything_else_does_not(other: dict[str, Any]) -> None:
    made = jwt.encode({"alg": "ES256", "kid": "ec"}, claims(**other), EC, ["ES256"])
    with pytest.raises(BankFailure, match="ID token") as refused:
        id_token.check(made, KEYS, EXPECTED, clock.now())
    assert (refused.value.kind, refused.value.status) == ("id-token-wrong", 422)


def test_another_signature_does_not_hold() -> None:
    stranger = ECKey.generate_key("P-256", {"kid": "ec"})
    for token in (
        None,
        "nonsense",
        jwt.encode({"alg": "ES256", "kid": "ec"}, claims(), stranger, ["ES256"]),
        jwt.encode({"alg": "RS256", "kid": "rsa"}, claims(), RSA, ["RS256"]),
        jwt.encode({"alg": "HS256", "kid": "rsa"}, claims(), OctKey.generate_key(256), ["HS256"]),
        jwt.encode({"alg": "none"}, claims(), EC, ["none"]),
    ):
        with pytest.raises(BankFailure, match="ID token"):
            id_token.check(token, KEYS, EXPECTED, clock.now())


def test_a_profile_asks_for_the_hybrid_flow_as_a_whole() -> None:
    whole = {
        "client_id": "us", "response_type": "code id_token", "scope": "openid accounts", "request_object": True,
        "issuer": "https://bank.example", "jwks": "/jwks",
    }  # fmt: skip
    assert OAuth.model_validate(whole).hybrid
    for missing in ("request_object", "issuer", "jwks", "scope"):
        with pytest.raises(ValidationError, match="response_type code id_token needs"):
            OAuth.model_validate({name: value for name, value in whole.items() if name != missing})
