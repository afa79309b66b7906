"""Who calls: the user of a bearer token (RFC 6750), verified against the issuer's published keys (OpenID Discovery)."""

from __future__ import annotations

import ssl
import threading
import time
import uuid
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Annotated, Any

import httpx
import structlog
from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet

from workloads.chassis.problems import Problem

_ALGORITHMS = ["RS256", "PS256", "ES256"]
_REFRESH_SECONDS = 10.0
"""Least time between two fetches of the keys: an unknown key id must not become a way to hammer the issuer."""
_LEEWAY_SECONDS = 60
_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class User:
    """The person a request is made for.

    id: pseudonym, the same for the same person at the same issuer. token: forwarded to other services.
    acting: whether the token is a service's that acts for the person, who is not there.
    """

    id: uuid.UUID
    token: str = field(repr=False)
    acting: bool = False


ACTING_FOR = "Acting-For"
"""Header between services: the user that a service acts for with a token of its own."""


class Authenticator:
    """Verifies access tokens of one issuer for one audience.

    issuer: where ``/.well-known/openid-configuration`` lies. Its document says which ``iss`` tokens carry (Entra's
    differs from its address) and where the keys are. Fetched on first use, over verified TLS.
    services: object ids of the platform's services, which may act for a user; nobody else may.
    """

    def __init__(
        self, issuer: str, audience: str, tls: ssl.SSLContext, services: Collection[uuid.UUID] = frozenset()
    ) -> None:
        self._issuer, self._audience = issuer.rstrip("/"), audience
        self._services = {str(each) for each in services}
        self._http = httpx.Client(verify=tls, timeout=5, follow_redirects=False)
        self._lock = threading.Lock()
        self._keys: KeySet | None = None
        self._claimed_issuer = ""
        self._fetched = float("-inf")

    def user(self, token: str, acting_for: str | None = None) -> User:
        """Whose token it is, or for whom the service acts whose token it is.

        Raises Problem 401 when the token does not hold, 403 when its bearer may not act so, 503 when the issuer can't
        be asked.
        """
        subject, claims = self._subject(token)
        if acting_for is not None or subject in self._services:
            return self._acting(subject, token, acting_for)
        return User(uuid.uuid5(uuid.NAMESPACE_URL, f"{claims.get('tid', self._claimed_issuer)}/{subject}"), token)

    def _subject(self, token: str) -> tuple[str, dict[str, Any]]:
        """Whom a valid token names, and its claims. Raises Problem 401 and 503."""
        try:
            claims = self._decode(token).claims
            jwt.JWTClaimsRegistry(
                leeway=_LEEWAY_SECONDS,
                iss={"essential": True, "value": self._claimed_issuer},
                aud={"essential": True, "values": [self._audience, self._audience.rstrip("/") + "/"]},
                exp={"essential": True},
            ).validate(claims)
            return str(claims.get("oid") or claims["sub"]), claims
        except (JoseError, ValueError, KeyError, TypeError) as error:
            _log.info("token refused", reason=type(error).__name__)
            raise unauthorized("invalid_token", "The bearer token is not valid for this service.") from None

    def service(self, token: str) -> uuid.UUID:
        """Object id of the identity whose own token it is. Raises Problem 401 and 503 as ``user`` does.

        Which identities an operation is for, the operation decides.
        """
        try:
            return uuid.UUID(self._subject(token)[0])
        except ValueError:
            raise unauthorized("invalid_token", "The bearer token names no object id.") from None

    def _acting(self, subject: str, token: str, acting_for: str | None) -> User:
        try:
            user = uuid.UUID(acting_for or "")
        except ValueError:
            raise Problem(403, "forbidden", f"A service says for which user it acts: {ACTING_FOR}: <UUID>.") from None
        if subject not in self._services:
            raise Problem(403, "forbidden", "Only a service of the platform may act for a user.")
        return User(user, token, acting=True)

    def _decode(self, token: str) -> jwt.Token:
        keys = self._key_set()
        try:
            return jwt.decode(token, keys, algorithms=_ALGORITHMS)
        except InvalidKeyIdError:  # the issuer may have rotated its keys
            return jwt.decode(token, self._key_set(newer=True), algorithms=_ALGORITHMS)

    def _key_set(self, *, newer: bool = False) -> KeySet:
        with self._lock:
            if self._keys and not (newer and time.monotonic() - self._fetched > _REFRESH_SECONDS):
                return self._keys
            try:
                document = self._get(f"{self._issuer}/.well-known/openid-configuration")
                keys = self._get(document["jwks_uri"])
            except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
                _log.warning("token issuer can't be asked", issuer=self._issuer, error=type(error).__name__)
                if self._keys:
                    return self._keys
                raise Problem(503, "issuer-unreachable", "The token issuer can't be asked; try again soon.") from None
            self._claimed_issuer = document["issuer"]
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


def unauthorized(error: str | None, detail: str) -> Problem:
    """A 401 with the challenge of RFC 6750, section 3."""
    challenge = f'Bearer error="{error}"' if error else "Bearer"
    return Problem(401, "unauthorized", detail, headers={"WWW-Authenticate": challenge})


_bearer = HTTPBearer(auto_error=False, bearerFormat="JWT", description="Access token of the user")


_Credentials = Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]


def _token(given: HTTPAuthorizationCredentials | None) -> str:
    if given is None or not given.credentials:
        raise unauthorized(None, "A bearer token is needed: Authorization: Bearer <access token>.")
    return given.credentials


def authenticate(request: Request, given: _Credentials) -> User:
    """The user of the present request. Raises Problem 401 without a valid bearer token."""
    authenticator: Authenticator = request.app.state.authenticator
    return authenticator.user(_token(given), request.headers.get(ACTING_FOR))


def authenticate_service(request: Request, given: _Credentials) -> uuid.UUID:
    """Object id of the identity that calls. Raises Problem 401 without a valid bearer token."""
    authenticator: Authenticator = request.app.state.authenticator
    return authenticator.service(_token(given))


CallingService = Annotated[uuid.UUID, Depends(authenticate_service)]
"""An endpoint's parameter, where a service asks for itself: its identity's object id, still to be judged."""


CurrentUser = Annotated[User, Depends(authenticate)]
"""An endpoint's parameter: the user it serves."""


def acting_only(user: CurrentUser) -> User:
    """The user that a service acts for. Raises Problem 403 for a person: the operation is for services."""
    if not user.acting:
        raise Problem(403, "forbidden", "This operation is for the platform's services.")
    return user


ServedUser = Annotated[User, Depends(acting_only)]
"""An endpoint's parameter, where only services may call."""
