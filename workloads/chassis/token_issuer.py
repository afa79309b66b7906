"""One issuer of bearer tokens (RFC 6750): its keys by OpenID Discovery, and whether a token of its own holds.

Entra ID for services' identities, Entra External ID or B2C for people: each says in a document which ``iss``
its tokens carry, which may differ from its address, and where its keys are.
"""

from __future__ import annotations

import ssl
import threading
import time
from collections.abc import Sequence
from typing import Any

import httpx
import structlog
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet

from workloads.chassis.problems import Problem

_ALGORITHMS = ["RS256", "PS256", "ES256"]
_REFRESH_SECONDS = 10.0
"""Least time between two fetches of the keys: an unknown key id must not become a way to hammer the issuer."""
_LEEWAY_SECONDS = 60
_log = structlog.get_logger(__name__)


def unauthorized(error: str | None, detail: str) -> Problem:
    """A 401 with the challenge of RFC 6750, section 3."""
    challenge = f'Bearer error="{error}"' if error else "Bearer"
    return Problem(401, "unauthorized", detail, headers={"WWW-Authenticate": challenge})


def insufficient(scopes: Sequence[str]) -> Problem:
    """A 403 with the challenge of RFC 6750, section 3.1: the token holds, and grants too little. scopes: that do."""
    wanted = " ".join(scopes)
    challenge = {"WWW-Authenticate": f'Bearer error="insufficient_scope", scope="{wanted}"'}
    detail = f"The bearer token does not grant what this operation needs: {wanted}."
    return Problem(403, "insufficient-scope", detail, headers=challenge, scope=wanted)


class MustAsk(Exception):
    """The issuer has to be asked for its keys first, which may take seconds."""


class TokenIssuer:
    """Verifies access tokens of one issuer for one audience.

    address: where ``/.well-known/openid-configuration`` lies; fetched on first use, over verified TLS.
    """

    def __init__(self, address: str, audience: str, tls: ssl.SSLContext) -> None:
        self._address, self._audience = address.rstrip("/"), audience
        self._http = httpx.Client(verify=tls, timeout=5, follow_redirects=False)
        self._lock = threading.Lock()
        self._keys: KeySet | None = None
        self._fetched = float("-inf")
        self.name = ""
        """What its tokens call it (``iss``); known once its keys are."""

    def verify(self, token: str, *, ask: bool = True) -> tuple[str, dict[str, Any]]:
        """Whom a token names (``oid``, which is the same for every application; else ``sub``), and its claims.

        ask: whether the issuer may be asked for keys that are not known yet. Raises Problem 401 when the token does not
        hold, 503 when the issuer can't be asked, MustAsk when it may not be.
        """
        try:
            claims = self._decode(token, ask=ask).claims
            jwt.JWTClaimsRegistry(
                leeway=_LEEWAY_SECONDS,
                iss={"essential": True, "value": self.name},
                aud={"essential": True, "values": [self._audience, self._audience.rstrip("/") + "/"]},
                exp={"essential": True},
            ).validate(claims)
            return str(claims.get("oid") or claims["sub"]), claims
        except (JoseError, ValueError, KeyError, TypeError) as error:
            _log.info("token refused", reason=type(error).__name__)
            raise unauthorized("invalid_token", "The bearer token is not valid for this service.") from None

    def _decode(self, token: str, *, ask: bool) -> jwt.Token:
        keys = self._keys if self._keys or not ask else self._key_set()
        if keys is None:
            raise MustAsk
        try:
            return jwt.decode(token, keys, algorithms=_ALGORITHMS)
        except InvalidKeyIdError:  # the issuer may have rotated its keys
            if not ask:
                raise MustAsk from None
            return jwt.decode(token, self._key_set(newer=True), algorithms=_ALGORITHMS)

    def _key_set(self, *, newer: bool = False) -> KeySet:
        with self._lock:
            if self._keys and not (newer and time.monotonic() - self._fetched > _REFRESH_SECONDS):
                return self._keys
            try:
                document = self._get(f"{self._address}/.well-known/openid-configuration")
                keys = self._get(document["jwks_uri"])
            except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
                _log.warning("token issuer can't be asked", issuer=self._address, error=type(error).__name__)
                if self._keys:
                    return self._keys
                raise Problem(503, "issuer-unreachable", "The token issuer can't be asked; try again soon.") from None
            self.name = document["issuer"]
            self._keys = KeySet.import_key_set(
                {"keys": [key for key in keys["keys"] if key.get("use", "sig") == "sig" and key.get("kty") != "oct"]}
            )
            self._fetched = time.monotonic()
            return self._keys

    def _get(self, address: str) -> Any:
        return self._http.get(address).raise_for_status().json()

    def close(self) -> None:
        """Close its connections."""
        self._http.close()
