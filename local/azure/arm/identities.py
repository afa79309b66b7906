"""Managed identities within a resource's ``identity``: what is assigned, and what Azure adds to it.

Source: ARM's "managed identity" contract (identity.type, principalId, tenantId, userAssignedIdentities).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from local.azure.arm.shapes import UNKNOWN
from local.azure.arm.store import LocalStore
from local.azure.context import ArmError, Body, Resource
from local.azure.entra.directory import LocalDirectory

USER_ASSIGNED = "Microsoft.ManagedIdentity/userAssignedIdentities"


class Identities:
    """Gives resources their identities. Assigning twice changes nothing."""

    def __init__(self, store: LocalStore, directory: LocalDirectory) -> None:
        self._store, self._directory = store, directory

    def check(self, body: Mapping[str, Any]) -> None:
        """Raises ArmError 400 when a user-assigned identity is not there."""
        for identity_id in self._user_assigned(body):
            if UNKNOWN not in identity_id and self._store.get(identity_id) is None:
                raise ArmError(
                    400,
                    "FailedIdentityOperation",
                    f"Identity operation failed: the user-assigned identity {identity_id} was not found. Create it.",
                    "identity.userAssignedIdentities",
                )

    async def assign(self, resource: Resource) -> Resource:
        """The resource with the object ids of its identities filled in, its system-assigned one made or removed."""
        identity = resource.body.get("identity")
        system = isinstance(identity, Mapping) and "systemassigned" in str(identity.get("type", "")).lower()
        if not system and resource.type.lower() != USER_ASSIGNED.lower():
            self.forget(resource.id)
        if not isinstance(identity, Mapping):
            return resource
        filled: Body = {k: v for k, v in identity.items() if k not in ("principalId", "tenantId")}
        if system:
            own = await self._directory.create_service_principal(resource.name, resource=resource.id)
            filled |= {"principalId": own.object_id, "tenantId": self._directory.tenant_id}
        if named := self._user_assigned(resource.body):
            filled["userAssignedIdentities"] = {each: self._described(each) for each in named}
        return Resource(resource.id, resource.name, resource.type, {**resource.body, "identity": filled})

    def forget(self, resource_id: str) -> None:
        """Remove the identity that belongs to a resource, if it has one."""
        if own := self._directory.by_resource(resource_id):
            self._directory.remove(own.object_id)

    def _described(self, identity_id: str) -> Body:
        principal = self._directory.by_resource(identity_id)
        return {"principalId": principal.object_id, "clientId": principal.client_id} if principal else {}

    @staticmethod
    def _user_assigned(body: Mapping[str, Any]) -> list[str]:
        identity = body.get("identity")
        named = identity.get("userAssignedIdentities") if isinstance(identity, Mapping) else None
        return [each for each, kept in named.items() if kept is not None] if isinstance(named, Mapping) else []
