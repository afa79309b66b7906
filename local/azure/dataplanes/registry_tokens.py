"""Tokens of the local container registries: refresh and access tokens for clients, passes for the backend.

Form and lifetimes as ACR's (https://github.com/Azure/acr/blob/main/docs/AAD-OAuth.md); signed with ES256.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

from local.azure.dataplanes import registry_backend

REFRESH_SECONDS = 3 * 3600
ACCESS_SECONDS = 75 * 60
_PASS_SECONDS = 3600  # outlives the longest upload of one blob
_ISSUER = "Azure Container Registry"
_LEEWAY = 60


class TokenRefused(Exception):
    """A registry token that is forged, expired, of another registry or of another kind; never shows the token."""


@dataclass(frozen=True)
class Access:
    """What a token grants on one thing. kind: "repository" or "registry"; actions: e.g. pull, push, delete."""

    kind: str
    name: str
    actions: frozenset[str]

    def claim(self) -> dict[str, Any]:
        """As it stands in a token."""
        return {"type": self.kind, "name": self.name, "actions": sorted(self.actions)}


class RegistryTokens:
    """Issues and verifies the tokens of one registry. service: its loginServer, the tokens' audience."""

    def __init__(self, key: ECKey, service: str) -> None:
        self._key, self.service = key, service

    def refresh_token(self, object_id: str) -> str:
        """Proves that Entra vouched for the identity; good for asking access tokens, nothing else."""
        return self._client_token(object_id, "refresh_token", REFRESH_SECONDS, {})

    def access_token(self, object_id: str, access: Sequence[Access]) -> str:
        """What a client calls the registry with."""
        claims = {"access": [each.claim() for each in access]}
        return self._client_token(object_id, "access_token", ACCESS_SECONDS, claims)

    def bearer(self, refresh_token: str) -> str:
        """The object id that a refresh token stands for. Raises TokenRefused."""
        return str(self._verified(refresh_token, "refresh_token")["sub"])

    def granted(self, access_token: str) -> list[Access]:
        """What an access token grants. Raises TokenRefused."""
        claims = self._verified(access_token, "access_token")
        return [Access(each["type"], each["name"], frozenset(each["actions"])) for each in claims["access"]]

    def backend_pass(self, repositories: Sequence[str]) -> str:
        """Lets the proxy do to these backend repositories what it has found its client may do."""
        every = ["pull", "push", "delete"]
        access = [{"type": "repository", "name": name, "actions": every} for name in repositories]
        return self._signed(
            _PASS_SECONDS, {"iss": registry_backend.ISSUER, "aud": registry_backend.SERVICE, "access": access}
        )

    def _client_token(self, object_id: str, grant: str, seconds: int, extra: Mapping[str, Any]) -> str:
        who = {"iss": _ISSUER, "aud": self.service, "sub": object_id, "version": "1.0", "grant_type": grant}
        return self._signed(seconds, {**who, **extra})

    def _signed(self, seconds: int, claims: Mapping[str, Any]) -> str:
        now = int(time.time())
        times = {"iat": now, "nbf": now - 5, "exp": now + seconds, "jti": str(uuid.uuid4())}
        header = {"alg": "ES256", "typ": "JWT", "kid": self._key.kid}
        return jwt.encode(header, {**times, **claims}, self._key, algorithms=["ES256"])

    def _verified(self, token: str, grant: str) -> dict[str, Any]:
        try:
            claims = jwt.decode(token, self._key, algorithms=["ES256"]).claims
        except (JoseError, ValueError) as error:
            raise TokenRefused(f"the token is invalid: {type(error).__name__}") from None
        if claims.get("iss") != _ISSUER or claims.get("aud") != self.service:
            raise TokenRefused("the token is of another registry")
        if claims.get("grant_type") != grant:
            raise TokenRefused(f"the token is no {grant.replace('_', ' ')}")
        if claims["exp"] < time.time() - _LEEWAY:
            raise TokenRefused("the token has expired")
        return claims
