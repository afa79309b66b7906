"""Workload identity: an Entra identity that one Kubernetes service account may act as.

Leaves out: the service account itself, which belongs to whoever deploys into the cluster.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
from pulumi_azure_native import authorization, managedidentity

from components.common import ROLES, Site, assign_role

AUDIENCE = "api://AzureADTokenExchange"
"""Audience of the tokens that Entra exchanges (learn.microsoft.com/entra/workload-id)."""


@dataclass(frozen=True)
class Grant:
    """A built-in role at a scope, e.g. Grant("Key Vault Secrets User", vault.vault_id)."""

    role: str
    scope: pulumi.Input[str]

    def __post_init__(self) -> None:
        if self.role not in ROLES:
            raise ValueError(f"role: {self.role!r} is not known; allowed are {', '.join(ROLES)}.")


@dataclass(frozen=True, kw_only=True)
class WorkloadIdentityArgs:
    """What a workload identity needs to know.

    site: resource group, region and tags that every block shares.
    issuer: OIDC issuer of the cluster. namespace, service_account: who may act as the identity.
    grants: its rights, by what they are for, e.g. {"reads-secrets": Grant("Key Vault Secrets User", vault.vault_id)}.
    """

    site: Site
    issuer: pulumi.Input[str]
    namespace: str
    service_account: str
    grants: Mapping[str, Grant]

    def __post_init__(self) -> None:
        if isinstance(self.issuer, str) and not self.issuer.startswith("https://"):
            raise ValueError(f"issuer: {self.issuer!r} is not allowed; allowed are URLs that start with https://.")
        for name in ("namespace", "service_account"):
            # Kubernetes' names; Entra compares the subject letter by letter and says nothing of one that never comes.
            if not re.fullmatch(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?", value := getattr(self, name)):
                raise ValueError(f"{name}: {value!r} is not allowed; allowed are lower-case letters, digits and '-'.")


class WorkloadIdentity(pulumi.ComponentResource):
    """An identity without a secret: pods prove who they are by a token of their cluster."""

    client_id: pulumi.Output[str]
    """Application id, for the service account's annotation."""
    object_id: pulumi.Output[str]
    """Object id: whom roles and database users are made for."""
    grants: list[authorization.RoleAssignment]
    """Its role assignments: pods that use them wait for them."""
    trust: managedidentity.FederatedIdentityCredential
    """What lets the service account in: pods wait for it."""

    def __init__(self, name: str, args: WorkloadIdentityArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("tributary:azure:WorkloadIdentity", name, {}, opts)
        child = pulumi.ResourceOptions(parent=self)
        site = args.site

        identity = managedidentity.UserAssignedIdentity(
            name,
            resource_name_=site.name("id", name),
            resource_group_name=site.resource_group,
            location=site.location,
            tags=site.tags,
            opts=child,
        )
        self.trust = trust(name, identity, args.issuer, args.namespace, args.service_account, site, child)
        self.grants = [
            assign_role(
                f"{name}-{purpose}",
                grant.role,
                principal_id=identity.principal_id,
                scope=grant.scope,
                site=site,
                opts=child,
            )
            for purpose, grant in args.grants.items()
        ]

        self.client_id = identity.client_id
        self.object_id = identity.principal_id
        self.register_outputs({"client_id": self.client_id, "object_id": self.object_id})


def subject(namespace: str, service_account: str) -> str:
    """What a cluster's tokens call a service account."""
    return f"system:serviceaccount:{namespace}:{service_account}"


def trust(
    name: str,
    identity: managedidentity.UserAssignedIdentity,
    issuer: pulumi.Input[str],
    namespace: str,
    service_account: str,
    site: Site,
    opts: pulumi.ResourceOptions,
) -> managedidentity.FederatedIdentityCredential:
    """Lets a service account of a cluster act as an identity."""
    return managedidentity.FederatedIdentityCredential(
        name,
        federated_identity_credential_resource_name=f"{namespace}-{service_account}",
        resource_name_=identity.name,
        resource_group_name=site.resource_group,
        issuer=issuer,
        subject=subject(namespace, service_account),
        audiences=[AUDIENCE],
        opts=opts,
    )
