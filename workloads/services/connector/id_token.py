"""ID tokens of the hybrid flow: what comes back with a code proves that the code is the bank's answer to our request.

OpenID Connect Core 1.0, section 3.3.2.11; FAPI 1.0 part 2, section 5.2.3 (s_hash), algorithms of section 8.6.
"""

from __future__ import annotations

import base64
import datetime
import hashlib
import hmac
from dataclasses import dataclass
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from workloads.services.connector.failures import BankFailure

_ALGORITHMS = ["PS256", "ES256"]
_LEEWAY_SECONDS = 60
INTENT = "openbanking_intent_id"


@dataclass(frozen=True, kw_only=True)
class Expected:
    """What the token must say. intent: the consent's id at the bank."""

    issuer: str
    client_id: str
    nonce: str
    code: str
    state: str
    intent: str


def check(token: str | None, keys: Any, expected: Expected, now: datetime.datetime) -> None:
    """Raises BankFailure id-token-wrong unless the token holds.

    keys: the bank's JSON Web Key Set. now: at the bank.
    """
    if not token:
        raise _wrong("none came back")
    try:
        claims = jwt.decode(token, KeySet.import_key_set(keys), algorithms=_ALGORITHMS).claims
        jwt.JWTClaimsRegistry(
            int(now.timestamp()),
            leeway=_LEEWAY_SECONDS,
            iss={"essential": True, "value": expected.issuer},
            aud={"essential": True, "value": expected.client_id},
            exp={"essential": True},
            iat={"essential": True},
            sub={"essential": True},
        ).validate(claims)
    except (JoseError, ValueError, KeyError, TypeError) as error:
        raise _wrong(type(error).__name__) from None
    for name, value in {
        "nonce": expected.nonce,
        "c_hash": half_hash(expected.code),
        "s_hash": half_hash(expected.state),
        INTENT: expected.intent,
    }.items():
        if not hmac.compare_digest(str(claims.get(name, "")).encode(), value.encode()):
            raise _wrong(f"{name} is not of this request")


def half_hash(value: str) -> str:
    """The left half of a text's SHA-256, as c_hash and s_hash hold it; both algorithms above have that hash."""
    return base64.urlsafe_b64encode(hashlib.sha256(value.encode()).digest()[:16]).rstrip(b"=").decode()


def _wrong(why: str) -> BankFailure:
    return BankFailure("id-token-wrong", f"The ID token does not prove that the bank answered: {why}.", 422)
