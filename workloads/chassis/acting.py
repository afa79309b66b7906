"""Acting for a user who is not there: after an event, or by a schedule, with the service's own token."""

from __future__ import annotations

import uuid
from collections.abc import Callable

from workloads.chassis.credential import credential
from workloads.chassis.identity import User

NOBODY = uuid.UUID(int=0)


class ActingIdentity:
    """Makes users that this service acts for; other services take them from the platform's services only.

    audience: of the platform's tokens. token: gives the service's own token for it; None asks Entra.
    """

    def __init__(self, audience: str, token: Callable[[], str] | None = None) -> None:
        self._scope = f"{audience.rstrip('/')}/.default"
        self._token = token or (lambda: credential().get_token(self._scope).token)

    def itself(self) -> User:
        """The service, for what is about nobody. Few operations take it: they ask for a ``CallingService``."""
        return User(NOBODY, self._token())

    def user(self, user_id: uuid.UUID) -> User:
        """The user, to be handed to ``ServiceClient.call``."""
        return User(user_id, self._token(), acting=True)
