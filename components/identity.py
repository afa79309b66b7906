"""Identity: how people sign in, in an Entra External ID tenant, or in an Azure AD B2C tenant that is there already.

Leaves out: the tenant itself (a service principal can't make one, pulumi-azure-native#880, #1126), branding, social
providers, and what External ID can't do: authenticator apps; and changing one's profile and deleting one's account,
which is for a service to do, over Microsoft Graph, as the application that ``directory`` registers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import pulumi

from components.graph_object import GraphObject, GraphObjectArgs, GraphTenant
from components.identity_applications import GRAPH_APP, consent, register_api, register_app
from components.identity_claims import EnrichmentArgs, enrich_tokens
from components.identity_directory import DirectoryArgs, register_directory
from components.identity_flows import b2c_user_flows, code_by_email, second_factor, sign_up_and_in

DISCOVERY = "/.well-known/openid-configuration"
B2C_FLOWS = {"signin": "signUpOrSignIn", "password": "passwordReset", "profile": "profileUpdate"}
"""The user flows of a B2C tenant, which has one for each purpose."""


@dataclass(frozen=True, kw_only=True)
class IdentityArgs:
    """What identity needs to know.

    tenant: where people are. kind: "external-id", or "b2c" for an existing tenant of that older service.
    issuer: of its tokens, e.g. "https://<tenant id>.ciamlogin.com/<tenant id>/v2.0". title: what people read.
    scopes: rights of the API that people give, each with its description.
    redirects: addresses after signing in, by "spa" (the website) and "publicClient" (mobile apps).
    attributes: asked on signing up, label by attribute. second_factor: asked for at each sign-in.
    enrichment: where further claims come from; None for none.
    directory: which service reads, changes and deletes people's accounts; None for none.
    """

    tenant: GraphTenant
    kind: Literal["external-id", "b2c"] = "external-id"
    issuer: str
    title: str
    scopes: Mapping[str, str]
    redirects: Mapping[str, Sequence[str]]
    attributes: Mapping[str, str] = field(default_factory=lambda: {"displayName": "Name"})
    second_factor: bool = True
    enrichment: EnrichmentArgs | None = None
    directory: DirectoryArgs | None = None

    def __post_init__(self) -> None:
        if not self.issuer.startswith("https://"):
            raise ValueError(f"issuer: {self.issuer!r} is not allowed; allowed is a URL that starts with https://.")
        if not self.scopes:
            raise ValueError("scopes: none are named; name at least one right that people give the app.")
        if unknown := set(self.redirects) - {"spa", "publicClient"}:
            raise ValueError(f"redirects: {sorted(unknown)} are not allowed; allowed are 'spa' and 'publicClient'.")
        if self.kind == "b2c" and (self.enrichment or self.second_factor):
            raise ValueError(
                "kind: 'b2c' is not allowed with second_factor or enrichment: there they are part of the user flow "
                "(learn.microsoft.com/azure/active-directory-b2c). Switch them off here and on in the tenant."
            )


class Identity(pulumi.ComponentResource):
    """Applications, flows and policies of a tenant; nothing in it is a secret."""

    audience: pulumi.Output[str]
    """Whom tokens are for: the API's application id."""
    client_id: pulumi.Output[str]
    """Application id that the website and mobile apps sign in with."""
    directory_client_id: pulumi.Output[str] | None
    """Application id that the service signs in with which people's accounts are left to; None without one."""
    issuer: str
    """What tokens call their issuer."""
    discovery: str
    """Where the document is that names the issuer and its keys (OpenID Connect Discovery 1.0, section 4)."""

    def __init__(self, name: str, args: IdentityArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("tributary:azure:Identity", name, {}, opts)
        child = pulumi.ResourceOptions(parent=self)
        tenant = args.tenant

        api = register_api(name, tenant, f"{args.title} API", args.scopes, child)
        app = register_app(name, tenant, args.title, api, list(args.scopes), args.redirects, child)
        graph = _graph(name, tenant, child)
        consent(f"{name}-consent-api", tenant, app, api.principal.object_id, list(args.scopes), child)
        consent(f"{name}-consent-sign-in", tenant, app, graph.object_id, ["openid", "offline_access"], child)
        if args.kind == "b2c":
            b2c_user_flows(name, tenant, B2C_FLOWS, child)
        else:
            sign_up_and_in(name, tenant, f"{args.title} ({name})", app, args.attributes, child)
            code_by_email(name, tenant, child)
        if args.second_factor:
            second_factor(name, tenant, f"{args.title} ({name}): second factor", [app, api], child)
        if args.enrichment:
            enrich_tokens(name, tenant, args.enrichment, [app, api], child)
        self.directory_client_id = None
        if args.directory:
            directory = register_directory(name, tenant, args.directory, graph.object_id, child)
            self.directory_client_id = directory.registration.app_id

        self.audience = api.registration.app_id
        self.client_id = app.registration.app_id
        self.issuer, self.discovery = _told_by(args)
        self.register_outputs(
            {
                "audience": self.audience,
                "client_id": self.client_id,
                "directory_client_id": self.directory_client_id,
                "issuer": self.issuer,
            }
        )


def _graph(name: str, tenant: GraphTenant, opts: pulumi.ResourceOptions) -> GraphObject:
    """Microsoft Graph's own service principal, which every tenant has."""
    return GraphObject(
        f"{name}-graph",
        GraphObjectArgs(
            tenant=tenant, path="v1.0/servicePrincipals", body={"appId": GRAPH_APP}, found_by=["appId"], fixed=["appId"]
        ),
        pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(retain_on_delete=True)),
    )


def _told_by(args: IdentityArgs) -> tuple[str, str]:
    """What a tenant's tokens call their issuer, and where its document is."""
    address = args.issuer.rstrip("/")
    if args.kind == "external-id":
        return address, address + DISCOVERY
    # Each flow of a B2C tenant has a document of its own, and the issuer that all of them name ends in a slash
    # (learn.microsoft.com/azure/active-directory-b2c/tokens-overview).
    return f"{address}/", f"{address.removesuffix('/v2.0')}/B2C_1_{next(iter(B2C_FLOWS))}/v2.0{DISCOVERY}"
