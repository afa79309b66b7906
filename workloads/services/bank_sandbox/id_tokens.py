"""ID tokens of the hybrid flow (OpenID Connect Core 3.3, FAPI 1.0 part 2). A sandbox's signing key is no secret."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from joserfc import jwt
from joserfc.jwk import ECKey

from workloads.chassis import clock

_LASTS_SECONDS = 300


def issuer(bank: str) -> str:
    """The issuer that a bank's profile names."""
    return f"https://api.{bank}.example"


@cache
def _key(bank: str) -> ECKey:
    """The same in every process of the bank, so that any of them can tell what another signed with."""
    secret = int.from_bytes(hashlib.sha256(f"sandbox bank {bank}".encode()).digest()) >> 1
    private = ec.derive_private_key(secret, ec.SECP256R1())
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return ECKey.import_key(pem, {"kid": bank, "use": "sig", "alg": "ES256"})


def keys(bank: str) -> dict[str, Any]:
    """The JSON Web Key Set that tokens are verified with."""
    return {"keys": [_key(bank).as_dict(private=False)]}


def signed(bank: str, client_id: str, nonce: str, consent_id: str, code: str, state: str | None) -> str:
    """A token that binds a code and a state to the request they answer."""
    now = int(clock.now().timestamp())
    claims = {
        "iss": issuer(bank), "aud": client_id, "sub": consent_id, "iat": now, "exp": now + _LASTS_SECONDS,
        "nonce": nonce, "c_hash": _half_hash(code), "openbanking_intent_id": consent_id,
        "acr": "urn:openbanking:psd2:sca", **({"s_hash": _half_hash(state)} if state else {}),
    }  # fmt: skip
    return jwt.encode({"alg": "ES256", "kid": bank}, claims, _key(bank), algorithms=["ES256"])


def _half_hash(value: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(value.encode()).digest()[:16]).rstrip(b"=").decode()
