"""Who calls: the user of a bearer token (RFC 6750), or the service that acts for one with a token of its own."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from workloads.chassis.problems import Problem
from workloads.chassis.token_issuer import TokenIssuer, unauthorized


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
    """Whom bearer tokens name.

    people: who issues people's tokens. services: who issues those of services' identities, which may be the same; a
    token of one is never good for the other's. acting: object ids of the services that may act for a user.
    """

    def __init__(self, people: TokenIssuer, services: TokenIssuer, acting: Collection[uuid.UUID] = frozenset()) -> None:
        self._people, self._services = people, services
        self._acting = {str(each) for each in acting}

    def user(self, token: str, acting_for: str | None = None) -> User:
        """Whose token it is, or for whom the service acts whose token it is.

        Raises Problem 401 when the token does not hold, 403 when its bearer may not act so, 503 when the issuer can't
        be asked.
        """
        issuer = self._people if acting_for is None else self._services
        subject, claims = issuer.verify(token)
        if acting_for is not None or (issuer is self._services and subject in self._acting):
            return self._for(subject, token, acting_for)
        return User(uuid.uuid5(uuid.NAMESPACE_URL, f"{claims.get('tid') or issuer.name}/{subject}"), token)

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
