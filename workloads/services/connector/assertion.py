"""JSON web signatures made in the vault: client assertions (RFC 7523) and request objects (RFC 9101)."""

from __future__ import annotations

import base64
import datetime
import json
import uuid
from collections.abc import Mapping
from typing import Any

from cryptography.hazmat.primitives.hashes import SHA256

from workloads.services.connector.seal import Seal

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_LASTS = datetime.timedelta(minutes=5)
_EARLIER = datetime.timedelta(seconds=30)
"""So much before now it says it was made: a clock that is a little behind would take it for not yet valid."""


def jws(seal: Seal, claims: Mapping[str, Any], now: datetime.datetime) -> str:
    """A compact JWS of the claims, PS256 as FAPI wants it, with its times and id. now: at whoever reads it.

    Raises Problem 503.
    """
    issued = int((now - _EARLIER).timestamp())
    times = {"iat": issued, "nbf": issued, "exp": int((now + _LASTS).timestamp())}
    thumbprint = _encoded(seal.certificate().fingerprint(SHA256()))
    header = {"alg": "PS256", "typ": "JWT", "kid": thumbprint, "x5t#S256": thumbprint}
    signed = f"{_part(header)}.{_part({**times, 'jti': str(uuid.uuid4()), **claims})}"
    return f"{signed}.{_encoded(seal.sign('PS256', signed.encode()))}"


def _part(value: Mapping[str, Any]) -> str:
    return _encoded(json.dumps(value, separators=(",", ":")).encode())


def _encoded(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()
