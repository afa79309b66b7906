"""Azure RBAC: role assignments over the built-in and stored role definitions."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from local.azure.arm import roles
from local.azure.arm.condition import Facts, compiled
from local.azure.arm.ids import ancestors
from local.azure.arm.store import LocalStore
from local.azure.context import About, ArmError, Principal

ASSIGNMENT_TYPE = "Microsoft.Authorization/roleAssignments"
DEFINITION_TYPE = "Microsoft.Authorization/roleDefinitions"


class LocalAuthorizer:
    """Implements ``context.Authorizer``: an assignment takes effect with the write that stores it."""

    def __init__(self, store: LocalStore) -> None:
        self._store = store

    def allows(self, principal: Principal, scope: str, action: str, *, data: bool, about: About | None = None) -> bool:
        """Whether an assignment at the scope or above grants the action (a data action when ``data``).

        about: what conditions of assignments may ask of the request.
        """
        facts = Facts(action, about or {})
        above = set(ancestors(scope))
        for assignment in self._store.list(ASSIGNMENT_TYPE):
            granted = assignment.properties
            where = assignment.id.lower().rsplit("/providers/microsoft.authorization/", 1)[0] or "/"
            if str(granted.get("principalId", "")).lower() != principal.object_id or where not in above:
                continue
            if (condition := granted.get("condition")) and not compiled(str(condition))(facts):
                continue
            if any(_grants(each, action, data) for each in self._permissions(str(granted.get("roleDefinitionId")))):
                return True
        return False

    def require(self, principal: Principal, scope: str, action: str, *, data: bool, about: About | None = None) -> None:
        """Raises ArmError 403 AuthorizationFailed, naming object id, action and scope, unless it is allowed."""
        if not self.allows(principal, scope, action, data=data, about=about):
            raise ArmError(
                403,
                "AuthorizationFailed",
                f"The client '{principal.client_id}' with object id '{principal.object_id}' does "
                f"not have authorization to perform action '{action}' over scope '{scope or '/'}' or the scope is "
                "invalid. If access was recently granted, please refresh your credentials.",
            )

    def role(self, definition_id: str) -> Mapping[str, Any] | None:
        """Properties of a role definition, built in or stored, by its id or GUID."""
        guid = definition_id.rstrip("/").rsplit("/", 1)[-1].lower()
        if guid in roles.built_in():
            return roles.built_in()[guid]
        for stored in self._store.list(DEFINITION_TYPE):
            if stored.name.lower() == guid:
                return stored.properties
        return None

    def _permissions(self, definition_id: str) -> Iterable[Mapping[str, Any]]:
        return (self.role(definition_id) or {}).get("permissions", ())


def _grants(permission: Mapping[str, Any], action: str, data: bool) -> bool:
    allowed, denied = ("dataActions", "notDataActions") if data else ("actions", "notActions")
    return any(_matches(p, action) for p in permission.get(allowed) or ()) and not any(
        _matches(p, action) for p in permission.get(denied) or ()
    )


def _matches(pattern: str, action: str) -> bool:
    return bool(_compiled(pattern).fullmatch(action))


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(".*".join(re.escape(part) for part in pattern.split("*")), re.IGNORECASE)
