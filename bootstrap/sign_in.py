"""Sign-in: applications of the External ID tenant, as which pipelines set it up, Entra asks for claims, and
services reach people's accounts.

Run by an administrator of that tenant, once: giving an application permissions of Graph takes one.
"""

from __future__ import annotations

from collections.abc import Mapping

import pulumi

from bootstrap.pipelines import subjects
from bootstrap.settings import Environment, SignInTenant
from components.graph_object import GraphObject, GraphObjectArgs, GraphTenant
from components.identity_applications import GRAPH_APP, Application, permit, register, trust
from components.identity_directory import PERMISSIONS as DIRECTORY_PERMISSIONS
from components.identity_directory import application_body, unique_name

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
    """Applications a stack: for its pipeline, the claims endpoint, accounts of people; ids of two, by stack."""
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
        pipeline = _named(f"tributary-{stack}-pipeline", tenant)
        for name, (issuer, subject) in subjects(stack, environment).items():
            trust(f"{stack}-{name}-sign-in", name, tenant, pipeline, issuer, subject)
        for permission, key in PERMISSIONS.items():
            permit(f"{stack}-{permission}", tenant, pipeline, graph.object_id, key)
        claims = _named(
            f"tributary-{stack}-claims", tenant, identifierUris=[f"api://{tenant.tenant_id}/tributary-{stack}-claims"]
        )
        permit(f"{stack}-claims", tenant, claims, graph.object_id, _RECEIVES_CLAIM_REQUESTS)
        _directory(stack, tenant, pipeline, graph.object_id)
        made[stack] = {"clientId": pipeline.registration.app_id, "claimsClientId": claims.registration.app_id}
    return made


def _named(name: str, tenant: GraphTenant, **more: object) -> Application:
    return register(name, name, tenant, {"displayName": name, "signInAudience": "AzureADMyOrg", **more})


def _directory(stack: str, tenant: GraphTenant, pipeline: Application, graph_id: pulumi.Input[str]) -> None:
    """As whom a stack's service will read, change and delete people's accounts; its pipeline says later who that is.

    The pipeline owns it, and so may have it trust the stack's cluster; more permissions it can't give.
    """
    name = f"tributary-{stack}"
    directory = register(unique_name(name), unique_name(name), tenant, application_body(name))
    for permission, key in DIRECTORY_PERMISSIONS.items():
        permit(f"{unique_name(name)}-{permission}", tenant, directory, graph_id, key)
    GraphObject(
        f"{unique_name(name)}-owner",
        GraphObjectArgs(
            tenant=tenant,
            path=pulumi.Output.concat("v1.0/applications/", directory.registration.object_id, "/owners"),
            body={
                "@odata.id": pulumi.Output.concat(
                    f"{tenant.endpoint}/v1.0/directoryObjects/", pipeline.principal.object_id
                )
            },
            kind="link",
        ),
    )
