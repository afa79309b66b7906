"""Identity's directory access: an application as which a service of ours reads, changes and deletes people's accounts.

It has no secret: it trusts the tokens of one outside issuer for one subject. What it may do at Microsoft Graph only an
administrator of the tenant can give it; who deploys with less finds what such a one has given before, and is refused
where that is missing. So the application and its permissions stay when the stack goes; the trust goes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pulumi

from components.graph_object import GraphTenant
from components.identity_applications import Application, permit, register, trust

PERMISSIONS = {
    "User.DeleteRestore.All": "eccc023d-eccf-4e7b-9683-8813ab36cecc",
    "User.ReadWrite.All": "741f803b-c850-494e-b5df-cde7c675a1ca",
}
"""The least that read and change a display name, and delete a user for good, without that user: see user-update,
user-delete and directory-deleteditems-delete in learn.microsoft.com/graph/api. Neither reaches administrators."""


@dataclass(frozen=True, kw_only=True)
class DirectoryArgs:
    """Whom the application trusts: issuer and subject of the tokens, e.g. a cluster's and a service account's."""

    issuer: pulumi.Input[str]
    subject: str

    def __post_init__(self) -> None:
        if not self.subject:
            raise ValueError("subject: it is empty; name whom the tokens are about: anybody's would be trusted.")


def unique_name(name: str) -> str:
    """The application's alternate key, by which whoever comes second finds it."""
    return f"{name}-directory"


def application_body(name: str) -> dict[str, Any]:
    """The application's properties, the same whoever registers it."""
    return {"displayName": unique_name(name), "signInAudience": "AzureADMyOrg"}


def register_directory(
    name: str, tenant: GraphTenant, args: DirectoryArgs, graph_id: pulumi.Input[str], opts: pulumi.ResourceOptions
) -> Application:
    """The application, its permissions, and its trust. graph_id: object id of Microsoft Graph's service principal."""
    kept = pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(retain_on_delete=True))
    directory = register(unique_name(name), unique_name(name), tenant, application_body(name), kept)
    for permission, key in PERMISSIONS.items():
        permit(f"{unique_name(name)}-{permission}", tenant, directory, graph_id, key, kept)
    trust(f"{unique_name(name)}-trust", "service", tenant, directory, args.issuer, args.subject, opts)
    return directory
