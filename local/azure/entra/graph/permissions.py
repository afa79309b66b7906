"""Permissions of Microsoft Graph: which application permission opens what, and who has it.

Ids: learn.microsoft.com/graph/permissions-reference.
"""

from __future__ import annotations

from local.azure.context import Authorizer, Principal
from local.azure.entra.graph.store import GraphStore
from local.instance import SUBSCRIPTION_ID

GRAPH_APP = "00000003-0000-0000-c000-000000000000"
"""Application id of Microsoft Graph itself, in every tenant."""
APP_ROLES = {
    "Application.ReadWrite.All": "1bfefb4e-e0b5-418b-a88f-73c46d2cc8e9",
    "Application.ReadWrite.OwnedBy": "18a4783c-866b-4cc7-a460-3d5e5662c884",
    "AppRoleAssignment.ReadWrite.All": "06b708a9-e830-4db3-a914-8e69da51d44f",
    "CustomAuthenticationExtension.ReadWrite.All": "c2667967-7050-4e7e-b059-4cbbb3811d03",
    "CustomAuthenticationExtension.Receive.Payload": "214e810f-fda8-4fd7-a475-29461495eb00",
    "DelegatedPermissionGrant.ReadWrite.All": "8e8e4742-1d95-4f68-9d56-6ee75648c72a",
    "EventListener.ReadWrite.All": "0edf5e9e-4ce8-468a-8432-d08631d18c43",
    "IdentityUserFlow.ReadWrite.All": "65319a09-a2be-469d-8782-f6b07debf789",
    "Policy.Read.All": "246dd0d5-5bd0-4def-940b-0421030a5b68",
    "Policy.ReadWrite.ApplicationConfiguration": "be74164b-cff1-491c-8741-e671cb536e13",
    "Policy.ReadWrite.AuthenticationMethod": "29c18626-4985-4dcd-85c0-193eef327366",
    "Policy.ReadWrite.ConditionalAccess": "01c0a623-fc9b-48e9-b794-0756f8e8f067",
    "User.DeleteRestore.All": "eccc023d-eccf-4e7b-9683-8813ab36cecc",
    "User.ReadWrite.All": "741f803b-c850-494e-b5df-cde7c675a1ca",
}
ASSIGNMENTS = "servicePrincipals/{}/appRoleAssignments"


def allowed(principal: Principal, wanted: tuple[str, ...], authorizer: Authorizer, store: GraphStore) -> bool:
    """Whether a principal has one of the permissions.

    The subscription's owner has all: here it administers the tenant, too.
    """
    scope = f"/subscriptions/{SUBSCRIPTION_ID}"
    if authorizer.allows(principal, scope, "Microsoft.Authorization/roleAssignments/write", data=False):
        return True
    had = {each["appRoleId"] for each in store.list(ASSIGNMENTS.format(principal.object_id))}
    return any(APP_ROLES[each] in had for each in wanted)
