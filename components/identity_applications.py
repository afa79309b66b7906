"""Identity's applications: the API that tokens are for, the app that people sign in with, and what each is given."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi

from components.graph_object import GraphObject, GraphObjectArgs, GraphTenant
from components.workload_identity import AUDIENCE

_SCOPES = uuid.UUID("3d0c5d1e-7c7d-4d0a-8b9e-0f4f8a9b2a61")
GRAPH_APP = "00000003-0000-0000-c000-000000000000"
"""Microsoft Graph's own application id, in every tenant."""
_OPEN_ID = {"openid": "37f7f235-527c-4136-accd-4a02d197296e", "offline_access": "7427e0e9-2fba-42fe-b0c0-848c9e6a8182"}
"""Graph's permissions that every sign-in asks for (learn.microsoft.com/graph/permissions-reference)."""


@dataclass(frozen=True)
class Application:
    """An application and its presence in the tenant, which everything that refers to it waits for."""

    registration: GraphObject
    principal: GraphObject


def register_api(
    name: str, tenant: GraphTenant, title: str, scopes: Mapping[str, str], opts: pulumi.ResourceOptions
) -> Application:
    """The API: its tokens are of version 2, whose audience is its application id.

    title: what consent and sign-in logs show. scopes: rights that users give, each with its description.
    """
    body = {
        "displayName": title,
        "signInAudience": "AzureADMyOrg",
        # A tenant may allow only names with its own id in them ("Restrict identifier URIs", learn.microsoft.com/entra/
        # identity-platform/identifier-uri-restrictions).
        "identifierUris": [f"api://{tenant.tenant_id}/{name}"],
        "api": {
            "requestedAccessTokenVersion": 2,
            "acceptMappedClaims": True,
            "oauth2PermissionScopes": [_scope(name, value, text) for value, text in scopes.items()],
        },
    }
    return register(f"{name}-api", name, tenant, body, opts)


def register_app(
    name: str,
    tenant: GraphTenant,
    title: str,
    api: Application,
    scopes: Sequence[str],
    redirects: Mapping[str, Sequence[str]],
    opts: pulumi.ResourceOptions,
) -> Application:
    """The app, a public client: it has no secret, and proves itself by PKCE.

    scopes: of the API that it asks for. redirects: addresses by "spa" (a website) and "publicClient" (a mobile app).
    """
    asked = [
        {
            "resourceAppId": api.registration.app_id,
            "resourceAccess": [{"id": _scope_id(name, each), "type": "Scope"} for each in scopes],
        },
        {
            "resourceAppId": GRAPH_APP,
            "resourceAccess": [{"id": each, "type": "Scope"} for each in _OPEN_ID.values()],
        },
    ]
    body = {
        "displayName": title,
        "signInAudience": "AzureADMyOrg",
        "isFallbackPublicClient": False,
        **{kind: {"redirectUris": list(uris)} for kind, uris in redirects.items()},
        "requiredResourceAccess": asked,
    }
    return register(f"{name}-app", f"{name}-app", tenant, body, opts)


def consent(
    name: str,
    tenant: GraphTenant,
    client: Application,
    resource_id: pulumi.Input[str],
    scopes: Sequence[str],
    opts: pulumi.ResourceOptions,
) -> GraphObject:
    """An administrator's consent for everybody: in an External ID tenant people can't give it themselves."""
    return GraphObject(
        name,
        GraphObjectArgs(
            tenant=tenant,
            path="v1.0/oauth2PermissionGrants",
            body={
                "clientId": client.principal.object_id,
                "consentType": "AllPrincipals",
                "resourceId": resource_id,
                "scope": " ".join(scopes),
            },
            found_by=["clientId", "resourceId", "consentType"],
            fixed=["clientId", "resourceId", "consentType"],
        ),
        opts,
    )


def register(
    name: str,
    unique_name: str,
    tenant: GraphTenant,
    body: Mapping[str, Any],
    opts: pulumi.ResourceOptions | None = None,
) -> Application:
    """An application and its service principal. unique_name: alternate key. body: properties, as Graph names them."""
    registration = GraphObject(
        name, GraphObjectArgs(tenant=tenant, path="v1.0/applications", body=body, unique_name=unique_name), opts
    )
    principal = GraphObject(
        f"{name}-principal",
        GraphObjectArgs(
            tenant=tenant,
            path="v1.0/servicePrincipals",
            body={"appId": registration.app_id},
            found_by=["appId"],
            fixed=["appId"],
        ),
        opts,
    )
    return Application(registration, principal)


def permit(
    name: str,
    tenant: GraphTenant,
    client: Application,
    resource_id: pulumi.Input[str],
    role: str,
    opts: pulumi.ResourceOptions | None = None,
) -> GraphObject:
    """Gives an application a permission of an API (its app role, by id), which takes an administrator."""
    return GraphObject(
        name,
        GraphObjectArgs(
            tenant=tenant,
            path=pulumi.Output.concat("v1.0/servicePrincipals/", client.principal.object_id, "/appRoleAssignments"),
            body={"principalId": client.principal.object_id, "resourceId": resource_id, "appRoleId": role},
            found_by=["appRoleId", "resourceId"],
            fixed=["principalId", "resourceId", "appRoleId"],
        ),
        opts,
    )


def trust(
    name: str,
    key: str,
    tenant: GraphTenant,
    application: Application,
    issuer: pulumi.Input[str],
    subject: pulumi.Input[str],
    opts: pulumi.ResourceOptions | None = None,
) -> GraphObject:
    """Lets an issuer's tokens about a subject stand for an application. key: the credential's name there."""
    return GraphObject(
        name,
        GraphObjectArgs(
            tenant=tenant,
            path=pulumi.Output.concat(
                "v1.0/applications/", application.registration.object_id, "/federatedIdentityCredentials"
            ),
            body={"name": key, "issuer": issuer, "subject": subject, "audiences": [AUDIENCE]},
            found_by=["name"],
            fixed=["name"],
        ),
        opts,
    )


def _scope(name: str, value: str, text: str) -> dict[str, Any]:
    return {
        "id": _scope_id(name, value),
        "value": value,
        "type": "User",
        "isEnabled": True,
        "adminConsentDisplayName": value,
        "adminConsentDescription": text,
    }


def _scope_id(name: str, value: str) -> str:
    """The same each time: a new id would be a new permission, that nobody has consented to."""
    return str(uuid.uuid5(_SCOPES, f"{name}/{value}"))
