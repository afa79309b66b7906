"""Role assignments: who is given which rights, and over how much."""

from policies.rule import rule

_ASSIGNMENT = "azure-native:authorization:RoleAssignment"
_OWNERS = {
    "Owner": "8e3af657-a8ff-443c-a75c-2fe8c4bcb635",
    "Contributor": "b24988ac-6180-42a0-ab88-20f7382dd24c",
    "User Access Administrator": "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9",
    "Role Based Access Control Administrator": "f58310d9-a9f6-439a-9e8d-f62e7b41a168",
}
"""learn.microsoft.com/azure/role-based-access-control/built-in-roles"""


no_owner = rule(
    "TRB-RBAC-001",
    "No role that may do everything, or give rights away, is assigned",
    on=_ASSIGNMENT,
    severity="critical",
    topic="identity",
    why="Whoever takes over one such identity has it all.",
    fix="Assign the narrowest built-in role that does.",
    passes={
        "roleDefinitionId": "/providers/Microsoft.Authorization/roleDefinitions/7f951dda-4ed3-4680-a7ca-43fe172d538d"
    },
    breaks={"roleDefinitionId": f"/providers/Microsoft.Authorization/roleDefinitions/{_OWNERS['Owner']}"},
    demand=lambda assignment: assignment["roleDefinitionId"].lacks("|".join(_OWNERS.values())),
)

narrow_scope = rule(
    "TRB-RBAC-002",
    "Roles are assigned at a resource or a resource group, not above",
    on=_ASSIGNMENT,
    severity="high",
    topic="identity",
    why="A right at the subscription is a right to what is not there yet.",
    fix="Set scope to the id of the resource that the identity needs.",
    passes={"scope": "/subscriptions/s/resourceGroups/g/providers/Microsoft.KeyVault/vaults/v"},
    breaks={"scope": "/subscriptions/s"},
    demand=lambda assignment: assignment["scope"].matches("(?i)/subscriptions/[^/]+/resourceGroups/[^/]+(/.*)?"),
)
