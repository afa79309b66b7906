"""The tenant's identities: service principals, managed identities and test users, kept in SQLite."""

from __future__ import annotations

import sqlite3
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from local.azure.context import ArmError, Principal
from local.azure.entra import passwords
from local.azure.entra.tokens import Tokens


class LocalDirectory:
    """Implements ``context.Directory`` over the database, and what only Entra's own endpoints need."""

    def __init__(self, database: sqlite3.Connection, tokens: Tokens) -> None:
        self._database, self.tokens = database, tokens
        self.tenant_id = tokens.tenant_id

    def issue(self, principal: Principal, audience: str, extra: Mapping[str, Any] | None = None) -> str:
        """A signed access token (RS256 JWT): v2 issuer for an ``api://`` audience, else v1."""
        return self.tokens.issue(principal, audience, extra)

    def verify(self, token: str, audiences: Sequence[str]) -> Principal:
        """Whose token it is. Raises ArmError 401 for a wrong token and for an identity that is no more."""
        claims = self.tokens.verify(token, audiences)
        known = self.principal(str(claims.get("oid", "")))
        if known is None:
            raise ArmError(401, "InvalidAuthenticationToken", f"No identity has object id {claims.get('oid')!r}.")
        return Principal(known.object_id, known.client_id, known.name, known.kind, claims)

    def principal(self, object_id: str) -> Principal | None:
        """The identity of an object id, if there is one."""
        return self._one("object_id = ?", object_id.lower())

    def by_client_id(self, client_id: str) -> Principal | None:
        """The service principal or managed identity of a client id."""
        return self._one("client_id = ?", client_id.lower())

    def by_resource(self, resource_id: str) -> Principal | None:
        """The managed identity of an ARM resource."""
        return self._one("resource = ?", resource_id.lower())

    def resource_of(self, principal: Principal) -> str | None:
        """The lower-case id of the ARM resource whose managed identity this is."""
        row = self._database.execute(
            "SELECT resource FROM principals WHERE object_id = ?", (principal.object_id,)
        ).fetchone()
        return row["resource"] if row else None

    def by_upn(self, upn: str) -> Principal | None:
        """The user of a user principal name, whatever its case."""
        return self._one("kind = 'User' AND lower(name) = ?", upn.lower())

    async def create_service_principal(
        self, name: str, *, object_id: str | None = None, resource: str | None = None
    ) -> Principal:
        """A new identity without a secret (managed identities).

        resource: id of the ARM resource it belongs to; the same resource always gets the same identity back.
        """
        existing = self.by_resource(resource) if resource else self.principal(object_id or "")
        return existing or self.add(name, "ServicePrincipal", object_id=object_id, resource=resource)

    def add(
        self,
        name: str,
        kind: str,
        *,
        object_id: str | None = None,
        client_id: str | None = None,
        resource: str | None = None,
        secret: str | None = None,
    ) -> Principal:
        """Keep an identity; users have no client id. An existing object id gets the new name and secret."""
        object_id = (object_id or str(uuid.uuid4())).lower()
        application = None if kind == "User" else (client_id or str(uuid.uuid4())).lower()
        salt, kept = passwords.protect(secret) if secret else (None, None)
        self._database.execute(
            "INSERT INTO principals (object_id, client_id, name, kind, resource, salt, secret) VALUES (?,?,?,?,?,?,?) "
            "ON CONFLICT (object_id) DO UPDATE SET name = excluded.name, salt = excluded.salt, "
            "secret = excluded.secret",
            (object_id, application, name, kind, resource.lower() if resource else None, salt, kept),
        )
        return Principal(object_id, application, name, kind)

    def knows_secret(self, principal: Principal, secret: str) -> bool:
        """Whether this is the principal's client secret or password."""
        row = self._database.execute(
            "SELECT salt, secret FROM principals WHERE object_id = ?", (principal.object_id,)
        ).fetchone()
        return bool(row) and passwords.matches(secret, row["salt"], row["secret"])

    def users(self) -> list[Principal]:
        """Every test user."""
        return self._all("kind = 'User' ORDER BY name")

    def remove(self, object_id: str) -> bool:
        """Forget an identity; its tokens are refused from now on. Says whether there was one."""
        return self._database.execute("DELETE FROM principals WHERE object_id = ?", (object_id.lower(),)).rowcount > 0

    def _one(self, condition: str, value: str) -> Principal | None:
        found = self._all(condition, value)
        return found[0] if found else None

    def _all(self, condition: str, *values: str) -> list[Principal]:
        # The conditions are this file's own literals.
        query = f"SELECT object_id, client_id, name, kind FROM principals WHERE {condition}"  # noqa: S608
        return [Principal(*row) for row in self._database.execute(query, values)]
