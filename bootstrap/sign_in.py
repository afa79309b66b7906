"""Sign-in: applications of the External ID tenant, as which pipelines set it up and Entra asks for claims.

Run by an administrator of that tenant, once: giving an application permissions of Graph takes one.
"""

from __future__ import annotations

from collections.abc import Mapping

import pulumi

from bootstrap.pipelines import subjects
from bootstrap.settings import Environment, SignInTenant
from components.graph_object import GraphObject, GraphObjectArgs, GraphTenant
from components.identity_applications import GRAPH_APP
from components.workload_identity import AUDIENCE

PERMISSIONS = {
    "Application.ReadWrite.OwnedBy": "18a4783c-866b-4cc7-a460-3d5e5662c884",
    "CustomAuthenticationExtension.ReadWrite.All": "c2667967-7050-4e7e-b059-4cbbb3811d03",
    "DelegatedPermissionGrant.ReadWrite.All": "8e8e4742-1d95-4f68-9d56-6ee75648c72a",
    "EventListener.ReadWrite.All": "0edf5e9e-4ce8-468a-8432-d08631d18c43",
    "Policy.Read.All": "246dd0d5-5bd0-4def-940b-0421030a5b68",
    "Policy.ReadWrite.ApplicationConfiguration": "be74164b-cff1-491c-8741-e671cb536e13",
    "Policy.ReadWrite.AuthenticationMethod": "29c18626-4985-4dcd-85c0-193eef327366",
    "Policy.ReadWrite.ConditionalAccess": "01c0a623-fc9b-48e9-b794-0756f8e8f067",
}
"""What components/identity.py calls (learn.microsoft.com/graph/permissions-reference). None gives other permissions."""
_RECEIVES_CLAIM_REQUESTS = "214e810f-fda8-4fd7-a475-29461495eb00"
"""CustomAuthenticationExtension.Receive.Payload."""


def make_sign_in(
    settings: SignInTenant, environments: Mapping[str, Environment]
) -> dict[str, dict[str, pulumi.Output[str]]]:
    """An application a stack for its pipeline, and one for the claims endpoint; their ids, by stack."""
    tenant = GraphTenant(tenant_id=settings.tenant_id, endpoint=settings.graph)
    graph = GraphObject(
        "graph",
        GraphObjectArgs(
            tenant=tenant, path="v1.0/servicePrincipals", body={"appId": GRAPH_APP}, found_by=["appId"], fixed=["appId"]
        ),
        pulumi.ResourceOptions(retain_on_delete=True),
    )
    made = {}
    for stack, environment in environments.items():
        pipeline, principal = _application(f"tributary-{stack}-pipeline", tenant, {})
        for name, (issuer, subject) in subjects(stack, environment).items():
            _trust(f"{stack}-{name}-sign-in", name, tenant, pipeline, issuer, subject)
        for permission, key in PERMISSIONS.items():
            _permit(f"{stack}-{permission}", tenant, principal, graph, key)
        claims, receiver = _application(
            f"tributary-{stack}-claims",
            tenant,
            {"identifierUris": [f"api://{tenant.tenant_id}/tributary-{stack}-claims"]},
        )
        _permit(f"{stack}-claims", tenant, receiver, graph, _RECEIVES_CLAIM_REQUESTS)
        made[stack] = {"clientId": pipeline.app_id, "claimsClientId": claims.app_id}
    return made


def _application(name: str, tenant: GraphTenant, more: Mapping[str, object]) -> tuple[GraphObject, GraphObject]:
    body = {"displayName": name, "signInAudience": "AzureADMyOrg", **more}
    application = GraphObject(
        name, GraphObjectArgs(tenant=tenant, path="v1.0/applications", body=body, unique_name=name)
    )
    principal = GraphObject(
        f"{name}-principal",
        GraphObjectArgs(
            tenant=tenant,
            path="v1.0/servicePrincipals",
            body={"appId": application.app_id},
            found_by=["appId"],
            fixed=["appId"],
        ),
    )
    return application, principal


def _trust(name: str, key: str, tenant: GraphTenant, application: GraphObject, issuer: str, subject: str) -> None:
    GraphObject(
        name,
        GraphObjectArgs(
            tenant=tenant,
            path=pulumi.Output.concat("v1.0/applications/", application.object_id, "/federatedIdentityCredentials"),
            body={"name": key, "issuer": issuer, "subject": subject, "audiences": [AUDIENCE]},
            found_by=["name"],
            fixed=["name"],
        ),
    )


def _permit(name: str, tenant: GraphTenant, principal: GraphObject, graph: GraphObject, role: str) -> None:
    GraphObject(
        name,
        GraphObjectArgs(
            tenant=tenant,
            path=pulumi.Output.concat("v1.0/servicePrincipals/", principal.object_id, "/appRoleAssignments"),
            body={"principalId": principal.object_id, "resourceId": graph.object_id, "appRoleId": role},
            found_by=["appRoleId", "resourceId"],
            fixed=["principalId", "resourceId", "appRoleId"],
        ),
    )
