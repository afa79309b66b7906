"""Kinds of objects that Graph keeps here: where each lies, its shape, its keys, and the permission that opens it."""

from __future__ import annotations

from dataclasses import dataclass

from local.azure.entra.graph import shapes
from local.azure.entra.graph.permissions import ASSIGNMENTS

_APPLICATIONS = ("Application.ReadWrite.OwnedBy", "Application.ReadWrite.All")
_FLOWS = ("EventListener.ReadWrite.All",)
DELETED = "directory/deletedItems"
"""Where what was deleted is kept for 30 days."""
_OWNERS = "applications/{}/owners"
_CLAIMS_POLICIES = "servicePrincipals/{}/claimsMappingPolicies"
LINKS = {
    _OWNERS: ("/directoryObjects/", "servicePrincipals"),
    _CLAIMS_POLICIES: ("/policies/claimsMappingPolicies/", "policies/claimsMappingPolicies"),
}
"""Collections of links: what a target's address has before its id, and the collection that it must be in."""
_METHODS = "policies/authenticationMethodsPolicy/authenticationMethodConfigurations"


@dataclass(frozen=True, kw_only=True)
class Kind:
    """One collection. collection: its path, "{}" for the id of what it is in. shape: None for links to other objects.

    permissions: one of them is needed. reads: for reading, where less does.
    keys: properties that address an object as (key='value').
    given: keys that a caller chooses beside the shape, once. fixed: properties that never change.
    unique: properties that together are there once. identified_by: property that is the id, where Graph makes none.
    versions: of the API.
    """

    collection: str
    shape: type[shapes.Shape] | None
    permissions: tuple[str, ...]
    reads: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    given: tuple[str, ...] = ()
    fixed: tuple[str, ...] = ()
    unique: tuple[str, ...] = ()
    identified_by: str | None = None
    versions: tuple[str, ...] = ("v1.0", "beta")


KINDS = {
    each.collection: each
    for each in (
        Kind(
            collection="applications",
            shape=shapes.Application,
            permissions=_APPLICATIONS,
            keys=("uniqueName", "appId"),
            given=("uniqueName",),
            unique=("uniqueName",),
        ),
        Kind(
            collection="applications/{}/federatedIdentityCredentials",
            shape=shapes.FederatedCredential,
            permissions=_APPLICATIONS,
            keys=("name",),
            fixed=("name",),
            unique=("name",),
        ),
        Kind(collection=_OWNERS, shape=None, permissions=_APPLICATIONS),
        Kind(collection=DELETED, shape=None, permissions=_APPLICATIONS),
        Kind(
            collection="servicePrincipals",
            shape=shapes.ServicePrincipal,
            permissions=_APPLICATIONS,
            keys=("appId",),
            fixed=("appId",),
            unique=("appId",),
        ),
        Kind(
            collection=ASSIGNMENTS,
            shape=shapes.AppRoleAssignment,
            permissions=("AppRoleAssignment.ReadWrite.All",),
            reads=_APPLICATIONS,
            unique=("principalId", "resourceId", "appRoleId"),
        ),
        Kind(
            collection=_CLAIMS_POLICIES,
            shape=None,
            permissions=("Policy.ReadWrite.ApplicationConfiguration",),
        ),
        Kind(
            collection="oauth2PermissionGrants",
            shape=shapes.PermissionGrant,
            permissions=("DelegatedPermissionGrant.ReadWrite.All",),
            unique=("clientId", "resourceId", "consentType"),
        ),
        Kind(
            collection="identity/authenticationEventsFlows",
            shape=shapes.UserFlow,
            permissions=_FLOWS,
            unique=("displayName",),
        ),
        Kind(
            collection="identity/authenticationEventsFlows/{}/conditions/applications/includeApplications",
            shape=shapes.ConditionApplication,
            permissions=_FLOWS,
            identified_by="appId",
        ),
        Kind(
            collection="identity/authenticationEventListeners",
            shape=shapes.Listener,
            permissions=_FLOWS,
        ),
        Kind(
            collection="identity/b2cUserFlows",
            shape=shapes.B2CUserFlow,
            permissions=("IdentityUserFlow.ReadWrite.All",),
            identified_by="id",
            versions=("beta",),
        ),
        Kind(
            collection="identity/conditionalAccess/policies",
            shape=shapes.ConditionalAccessPolicy,
            permissions=("Policy.ReadWrite.ConditionalAccess",),
        ),
        Kind(
            collection="identity/customAuthenticationExtensions",
            shape=shapes.Extension,
            permissions=("CustomAuthenticationExtension.ReadWrite.All",),
        ),
        Kind(
            collection="policies/claimsMappingPolicies",
            shape=shapes.ClaimsMappingPolicy,
            permissions=("Policy.ReadWrite.ApplicationConfiguration",),
        ),
    )
}
SETTINGS = {f"{_METHODS}/email": shapes.EmailMethod, f"{_METHODS}/sms": shapes.SmsMethod}
"""Objects that every tenant has, by their path; only changed."""
SETTINGS_PERMISSIONS = ("Policy.ReadWrite.AuthenticationMethod",)
