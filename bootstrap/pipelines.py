"""Pipelines: an identity an environment, without a secret, with no more rights than deploying its stack takes."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping

import pulumi
from pulumi_azure_native import authorization, managedidentity

from bootstrap.settings import Environment
from bootstrap.state import Place
from components.common import ROLES, Site, assign_role
from components.identities import make_identity
from components.workload_identity import AUDIENCE

GITHUB = "https://token.actions.githubusercontent.com"
"""Issuer of the tokens of GitHub's jobs (docs.github.com/actions/reference/security/oidc)."""
_CONTRIBUTOR = "b24988ac-6180-42a0-ab88-20f7382dd24c"
_ACCESS_ADMINISTRATOR = "f58310d9-a9f6-439a-9e8d-f62e7b41a168"
"""Role Based Access Control Administrator."""
_CLUSTER_ADMINISTRATOR = "b1ff04bb-8a4e-4dc4-8eb5-8693973ce19b"
"""Azure Kubernetes Service RBAC Cluster Admin: objects of the cluster are deployed through its own API."""
_LOCKS_CONTRIBUTOR = "28bf596f-4eb7-45ce-b5bc-6cf482fec137"
"""Locks Contributor: neither Contributor nor who gives rights may lock anything
(learn.microsoft.com/azure/azure-resource-manager/management/lock-resources, "Who can create or delete locks")."""
_ASSIGNMENTS = uuid.UUID("6b6f6c0e-3c9d-4d52-9a0b-5f1f0f8f6d21")


def make_pipeline(
    stack: str, environment: Environment, place: Place, site: Site
) -> managedidentity.UserAssignedIdentity:
    """The identity that deploys a stack, and whose tokens stand for it."""
    opts = pulumi.ResourceOptions()
    identity = make_identity(f"deploys-{stack}", site, opts)
    _trust(stack, environment, identity, site)
    subscription = f"/subscriptions/{site.subscription_id}"
    # A stack makes its own resource groups, and AKS one more: Contributor has to be of the subscription. Give each
    # environment a subscription of its own, and it stays there.
    _grant(f"{stack}-deploys", _CONTRIBUTOR, identity, subscription, site)
    _grant(f"{stack}-uses-cluster", _CLUSTER_ADMINISTRATOR, identity, subscription, site)
    _grant(f"{stack}-locks", _LOCKS_CONTRIBUTOR, identity, subscription, site)
    _grant(f"{stack}-gives-rights", _ACCESS_ADMINISTRATOR, identity, subscription, site, only_assigns(ROLES.values()))
    for role, scope in {
        "Storage Blob Data Contributor": place.container_id,
        "Key Vault Crypto User": place.key_id,
    }.items():
        assign_role(
            f"{stack}-{role.lower().replace(' ', '-')}",
            role,
            principal_id=identity.principal_id,
            scope=scope,
            site=site,
            opts=opts,
        )
    return identity


def subjects(stack: str, environment: Environment) -> Mapping[str, tuple[str, str]]:
    """Issuer and subject of the tokens that stand for an environment's pipeline, by a name."""
    found: dict[str, tuple[str, str]] = {}
    if environment.github:
        # The environment, not a branch: its rules (reviewers, branches) decide which job gets such a token.
        found["github"] = (GITHUB, f"repo:{environment.github.repository}:environment:{stack}")
    if environment.azure_dev_ops:
        found["azure-devops"] = (environment.azure_dev_ops.issuer, environment.azure_dev_ops.subject)
    return found


def only_assigns(roles: Iterable[str]) -> str:
    """Condition under which an assignment may be made or removed: one of these roles, to an application's identity.

    roles: ids. Without it, who may give rights could make itself Owner (learn.microsoft.com/azure/role-based-access-
    control/delegate-role-assignments-examples).
    """
    listed = ", ".join(sorted(roles))
    clauses = [
        f"((!(ActionMatches{{'Microsoft.Authorization/roleAssignments/{action}'}})) OR ("
        f"@{source}[Microsoft.Authorization/roleAssignments:RoleDefinitionId] "
        f"ForAnyOfAnyValues:GuidEquals {{{listed}}} AND "
        f"@{source}[Microsoft.Authorization/roleAssignments:PrincipalType] "
        "ForAnyOfAnyValues:StringEqualsIgnoreCase {'ServicePrincipal'}))"
        for action, source in (("write", "Request"), ("delete", "Resource"))
    ]
    return " AND ".join(clauses)


def _trust(stack: str, environment: Environment, identity: managedidentity.UserAssignedIdentity, site: Site) -> None:
    earlier: list[pulumi.Resource] = []
    for name, (issuer, subject) in subjects(stack, environment).items():
        made = managedidentity.FederatedIdentityCredential(
            f"{stack}-{name}",
            federated_identity_credential_resource_name=name,
            resource_name_=identity.name,
            resource_group_name=site.resource_group,
            issuer=issuer,
            subject=subject,
            audiences=[AUDIENCE],
            # One after the other: Azure refuses two writes at once to the credentials of one identity
            # (learn.microsoft.com/entra/workload-id/workload-identity-federation-considerations).
            opts=pulumi.ResourceOptions(depends_on=list(earlier)),
        )
        earlier.append(made)


def _grant(
    name: str,
    role: str,
    identity: managedidentity.UserAssignedIdentity,
    scope: str,
    site: Site,
    condition: str | None = None,
) -> None:
    """A role that no stack may give, so that it is not among those of components.common."""
    authorization.RoleAssignment(
        name,
        role_assignment_name=identity.principal_id.apply(
            lambda known: str(uuid.uuid5(_ASSIGNMENTS, f"{scope}|{known}|{role}".lower()))
        ),
        principal_id=identity.principal_id,
        principal_type=authorization.PrincipalType.SERVICE_PRINCIPAL,
        role_definition_id=f"/subscriptions/{site.subscription_id}/providers/Microsoft.Authorization/roleDefinitions/{role}",
        scope=scope,
        condition=condition,
        condition_version="2.0" if condition else None,
    )
