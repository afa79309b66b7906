"""Microsoft.Authorization: what makes a role assignment or definition acceptable."""

from __future__ import annotations

import datetime

from local.azure.arm.authorize import LocalAuthorizer
from local.azure.arm.condition import ConditionError, compiled
from local.azure.arm.shapes import UNKNOWN
from local.azure.context import ArmError, Behaviour, Body, Resource


def _scope(resource: Resource) -> str:
    return resource.id[: resource.id.lower().rindex("/providers/microsoft.authorization/")] or "/"


def _judgeable(resource: Resource) -> None:
    condition, version = (resource.properties.get(each) for each in ("condition", "conditionVersion"))
    if not condition or UNKNOWN in str(condition):
        return
    try:
        if version != "2.0":
            raise ConditionError(f"its conditionVersion is {version!r}; allowed is '2.0'")
        compiled(str(condition))
    except ConditionError as error:
        message = f"The condition of the role assignment can't be judged: {error}."
        raise ArmError(400, "InvalidCondition", message, "properties.condition") from None


class RoleAssignment(Behaviour):
    """Takes effect with the write that stores it (Azure needs up to minutes)."""

    type = "Microsoft.Authorization/roleAssignments"

    async def check(self, resource: Resource, previous: Resource | None) -> None:
        """Refuse an unknown role, and a condition that can't be judged."""
        _judgeable(resource)
        role = str(resource.properties.get("roleDefinitionId"))
        authorizer = self.azure.authorizer
        if UNKNOWN not in role and isinstance(authorizer, LocalAuthorizer) and authorizer.role(role) is None:
            raise ArmError(
                400,
                "RoleDefinitionDoesNotExist",
                f"The specified role definition with ID '{role.rsplit('/', 1)[-1]}' does not exist.",
                "properties.roleDefinitionId",
            )

    async def check_state(self, resource: Resource, previous: Resource | None) -> None:
        """Refuse an unknown principal, and a second assignment of the same role to the same principal."""
        role, principal = str(resource.properties.get("roleDefinitionId")), str(resource.properties.get("principalId"))
        known = self.azure.directory.principal(principal)
        if known is None:
            raise ArmError(
                400,
                "PrincipalNotFound",
                f"Principal {principal} does not exist in the directory {self.azure.directory.tenant_id}.",
                "properties.principalId",
            )
        wanted = resource.properties.get("principalType")
        if wanted not in (None, known.kind):
            raise ArmError(
                400,
                "UnmatchedPrincipalType",
                f"The principal type '{wanted}' does not match: {principal} is a {known.kind}.",
                "properties.principalType",
            )
        guid = role.rsplit("/", 1)[-1].lower()
        for other in self.azure.store.list(self.type, _scope(resource)):
            same = str(other.properties.get("principalId")).lower() == principal.lower()
            same = same and str(other.properties.get("roleDefinitionId")).rsplit("/", 1)[-1].lower() == guid
            if same and other.id.lower() != resource.id.lower() and _scope(other).lower() == _scope(resource).lower():
                raise ArmError(
                    409,
                    "RoleAssignmentExists",
                    f"The role assignment already exists. The ID of the existing role assignment is {other.name}.",
                )

    async def put(self, resource: Resource, previous: Resource | None) -> Body:
        """Note when, for whom, and where."""
        now = datetime.datetime.now(datetime.UTC).isoformat()
        known = self.azure.directory.principal(str(resource.properties.get("principalId")))
        created = (previous.properties if previous else {}).get("createdOn", now)
        outputs = {"scope": _scope(resource), "createdOn": created, "updatedOn": now}
        return outputs | ({"principalType": known.kind} if known else {})


class RoleDefinition(Behaviour):
    """A custom role."""

    type = "Microsoft.Authorization/roleDefinitions"

    async def put(self, resource: Resource, previous: Resource | None) -> Body:
        """Mark it as custom."""
        return {"type": "CustomRole"}
