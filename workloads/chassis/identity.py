"""Who calls: the user of a bearer token (RFC 6750), or the service that acts for one with a token of its own."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Annotated, Any

from fastapi import Depends, Request, Security
from fastapi.concurrency import run_in_threadpool
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer, SecurityScopes

from workloads.chassis.problems import Problem
from workloads.chassis.scopes import Scope
from workloads.chassis.token_issuer import MustAsk, TokenIssuer, insufficient, unauthorized


@dataclass(frozen=True)
class User:
    """The person a request is made for.

    id: pseudonym, the same for the same person at the same issuer. token: forwarded to other services.
    acting: whether the token is a service's that acts for the person, who is not there. scopes: what a person lets the
    token's bearer do; a service that acts needs none. subject: whom the person's own token names; None while acting.
    """

    id: uuid.UUID
    token: str = field(repr=False)
    acting: bool = False
    scopes: frozenset[str] = frozenset()
    subject: str | None = field(default=None, repr=False)


ACTING_FOR = "Acting-For"
"""Header between services: the user that a service acts for with a token of its own."""


class Authenticator:
    """Whom bearer tokens name.

    people: who issues people's tokens. services: who issues those of services' identities, which may be the same; a
    token of one is never good for the other's. acting: object ids of the services that may act for a user.
    """

    def __init__(self, people: TokenIssuer, services: TokenIssuer, acting: Collection[uuid.UUID] = frozenset()) -> None:
        self._people, self._services = people, services
        self._acting = {str(each) for each in acting}

    def user(self, token: str, acting_for: str | None = None, *, ask: bool = True) -> User:
        """Whose token it is, or for whom the service acts whose token it is.

        ask: whether the issuer may be asked for keys. Raises Problem 401 when the token does not hold, 403 when its
        bearer may not act so, 503 when the issuer can't be asked, MustAsk when it may not be.
        """
        issuer = self._people if acting_for is None else self._services
        subject, claims = issuer.verify(token, ask=ask)
        if acting_for is not None or (issuer is self._services and subject in self._acting):
            return self._for(subject, token, acting_for)
        pseudonym = uuid.uuid5(uuid.NAMESPACE_URL, f"{claims.get('tid') or issuer.name}/{subject}")
        granted = claims.get("scp")
        scopes = frozenset(granted.split()) if isinstance(granted, str) else frozenset()
        return User(pseudonym, token, scopes=scopes, subject=subject)

    def service(self, token: str) -> uuid.UUID:
        """Object id of the identity whose own token it is. Raises Problem 401 and 503 as ``user`` does.

        Which identities an operation is for, the operation decides.
        """
        try:
            return uuid.UUID(self._services.verify(token)[0])
        except ValueError:
            raise unauthorized("invalid_token", "The bearer token names no object id.") from None

    def _for(self, subject: str, token: str, acting_for: str | None) -> User:
        try:
            user = uuid.UUID(acting_for or "")
        except ValueError:
            raise Problem(403, "forbidden", f"A service says for which user it acts: {ACTING_FOR}: <UUID>.") from None
        if subject not in self._acting:
            raise Problem(403, "forbidden", "Only a service of the platform may act for a user.")
        return User(user, token, acting=True)

    def close(self) -> None:
        """Close its connections."""
        self._people.close()
        self._services.close()


_bearer = HTTPBearer(
    auto_error=False, bearerFormat="JWT", description="Access token of the user, whose `scp` holds what is listed"
)


_Credentials = Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]


def _token(given: HTTPAuthorizationCredentials | None) -> str:
    if given is None or not given.credentials:
        raise unauthorized(None, "A bearer token is needed: Authorization: Bearer <access token>.")
    return given.credentials


async def authenticate(request: Request, given: _Credentials, wanted: SecurityScopes) -> None:
    """Find out who calls, once a request, and whether their token has the scopes.

    Takes a thread only where the issuer has to be waited for: to verify a token is as quick as the way to one.

    Raises Problem 401 without a valid bearer token, 403 when the person did not grant the scopes to its bearer.
    """
    user: User | None = getattr(request.state, "user", None)
    if user is None:
        authenticator: Authenticator = request.app.state.authenticator
        bearer = _token(given), request.headers.get(ACTING_FOR)
        try:
            user = authenticator.user(*bearer, ask=False)
        except MustAsk:
            user = await run_in_threadpool(authenticator.user, *bearer)
    if not user.acting and not user.scopes.issuperset(wanted.scopes):
        raise insufficient(wanted.scopes)
    request.state.user = user


def demands(*scopes: Scope) -> Any:
    """A dependency of a router or of an operation, which adds to its router's: what a person's token must grant."""
    return Security(authenticate, scopes=[each.value for each in scopes])


async def current_user(request: Request) -> User:
    """Who calls. Raises RuntimeError where neither the operation nor its router says which scopes it demands."""
    user: User | None = getattr(request.state, "user", None)
    if user is None:
        raise RuntimeError("The operation demands no scope; declare some: dependencies=[demands(…)].")
    return user


def authenticate_service(request: Request, given: _Credentials) -> uuid.UUID:
    """Object id of the identity that calls. Raises Problem 401 without a valid bearer token."""
    authenticator: Authenticator = request.app.state.authenticator
    return authenticator.service(_token(given))


CallingService = Annotated[uuid.UUID, Depends(authenticate_service)]
"""An endpoint's parameter, where a service asks for itself: its identity's object id, still to be judged."""


CurrentUser = Annotated[User, Depends(current_user)]
"""An endpoint's parameter: the user it serves."""
