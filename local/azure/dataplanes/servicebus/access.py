"""Who may do what: tokens put on a connection's $cbs node, then Azure RBAC on the entity."""

from __future__ import annotations

import time
from dataclasses import dataclass

from local.azure.context import ArmError, Authorizer, Directory, Principal
from local.azure.dataplanes.servicebus import addressing, conditions
from local.azure.dataplanes.servicebus.conditions import Refusal
from local.azure.dataplanes.servicebus.entities import Topic

AUDIENCE = "https://servicebus.azure.net"
SEND = "Microsoft.ServiceBus/namespaces/messages/send/action"
RECEIVE = "Microsoft.ServiceBus/namespaces/messages/receive/action"
_CLAIMS = {SEND: "Send", RECEIVE: "Listen"}
JWT = "jwt"
"""The one token type taken."""
_SHARED_ACCESS = "SharedAccessSignature "


@dataclass(frozen=True)
class _Token:
    principal: Principal
    expires: float


class Gate:
    """Decides for one connection."""

    def __init__(self, directory: Directory, authorizer: Authorizer) -> None:
        self._directory, self._authorizer = directory, authorizer
        self._tokens: dict[str, _Token] = {}

    def put(self, resource: str, kind: str, token: str) -> float:
        """Take a token for a resource (``sb://host/path``); answers when it expires, in seconds since 1970.

        Raises Refusal when it is none of ours, is for another audience, or its time is over.
        """
        if kind != JWT or token.startswith(_SHARED_ACCESS):
            raise Refusal(
                conditions.UNAUTHORIZED,
                "Shared access signatures are not taken: no namespace here has shared access keys. Use a credential of "
                "azure-identity.",
            )
        try:
            principal = self._directory.verify(token, (AUDIENCE,))
        except ArmError as refused:
            raise Refusal(conditions.UNAUTHORIZED, f"InvalidToken: {refused.message}") from None
        expires = float(principal.claims["exp"])
        self._tokens[addressing.parse(resource).path.lower()] = _Token(principal, expires)
        return expires

    def require(self, entity: Topic, *actions: str) -> None:
        """Raises Refusal unless a token put here grants one of the actions on an entity."""
        token = self._token(entity.path.lower())
        claims = " or ".join(f"'{_CLAIMS[each]}'" for each in actions)
        if token is None:
            raise Refusal(
                conditions.UNAUTHORIZED,
                f"Unauthorized access. {claims} claim(s) are required to perform this operation on {entity.path}, and "
                "no valid token for it was put on $cbs.",
            )
        if not any(self._authorizer.allows(token.principal, entity.id, each, data=True) for each in actions):
            raise Refusal(
                conditions.UNAUTHORIZED,
                f"Unauthorized access. {claims} claim(s) are required to perform this operation. Resource: "
                f"'{entity.path}'. The identity with object id {token.principal.object_id} has no role with data "
                f"action {' or '.join(actions)} there or above.",
            )

    def _token(self, path: str) -> _Token | None:
        """The token for a path, or for the nearest above it."""
        parts, now = path.split("/"), time.time()
        for length in range(len(parts), -1, -1):
            token = self._tokens.get("/".join(parts[:length]))
            if token is not None and token.expires > now:
                return token
        return None
