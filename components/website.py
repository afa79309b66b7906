"""Website: an App Service for a single-page application, with a slot that it is tried out in before it is swapped.

Leaves out: the application itself (whoever builds it deploys it to the slot), custom host names (the edge has them),
autoscaling, sign-in by App Service (the application signs in itself).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pulumi
from pulumi_azure_native import web

from components.app_service import refuse_passwords, refuse_slot_passwords, settings, transport
from components.common import PrivateAccess, Site, diagnose, private_endpoint
from components.identities import make_identity

SLOT = "staging"
"""Name of the slot."""


@dataclass(frozen=True, kw_only=True)
class WebSiteArgs:
    """What a website needs to know.

    site: resource group, region, tags and workspace that every block shares.
    sku: of the plan, Standard or better, e.g. "P1v3" (slots and network integration need that).
    instances: number of workers; zone_redundant needs Premium v2 or newer and at least 2.
    runtime: e.g. "NODE|22-lts". start: command that serves the application.
    health_path: answers 200 while the application is well, e.g. "/index.html".
    subnet_id: subnet delegated to Microsoft.Web/serverFarms that its own calls leave through.
    access: where its private endpoint is; closes the public address. None leaves it public.
    settings: application settings; a secret is a reference, "@Microsoft.KeyVault(SecretUri=…)".
    slot_settings: those that stay in the slot when it is swapped, and their values there.
    """

    site: Site
    sku: str
    instances: int
    runtime: str
    start: str
    health_path: str
    subnet_id: pulumi.Input[str]
    zone_redundant: bool = False
    access: PrivateAccess | None = None
    settings: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)
    slot_settings: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.sku[:1] not in ("S", "P", "I"):
            raise ValueError(f"sku: {self.sku} has no slots; allowed are Standard (S1) and better, e.g. P1v3.")
        if self.zone_redundant and (self.instances < 2 or self.sku[:1] not in ("P", "I")):
            raise ValueError(
                f"zone_redundant: needs a Premium plan and 2 instances; given are {self.sku} and {self.instances}."
            )
        if not self.health_path.startswith("/"):
            raise ValueError(
                f"health_path: {self.health_path!r} is not allowed; allowed are paths that start with '/'."
            )
        if strange := sorted(set(self.slot_settings) - set(self.settings)):
            raise ValueError(f"slot_settings: {strange} are no settings; allowed are {sorted(self.settings)}.")


class WebSite(pulumi.ComponentResource):
    """A site reached by HTTPS only, deployed to by Entra identities only."""

    host: pulumi.Output[str]
    """Its host name."""
    site_id: pulumi.Output[str]
    """Resource id: what a deployment pipeline gets rights on."""
    identity_id: pulumi.Output[str]
    """Object id of its identity: whom the vault's secrets are opened to."""
    ready: Sequence[pulumi.Resource]
    """What must be there before its name leads to it within the network."""

    def __init__(self, name: str, args: WebSiteArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        own = args.site.global_name("app", name, longest=60)
        super().__init__("tributary:azure:WebSite", name, {}, opts)
        child = pulumi.ResourceOptions(parent=self)
        site = args.site

        identity = make_identity(f"{name}-site", site, child)
        plan = web.AppServicePlan(
            name,
            name=site.name("asp", f"{name}-site"),
            resource_group_name=site.resource_group,
            location=site.location,
            kind="linux",
            reserved=True,
            sku=web.SkuDescriptionArgs(name=args.sku, capacity=args.instances),
            zone_redundant=args.zone_redundant,
            tags=site.tags,
            opts=child,
        )
        shared: dict[str, Any] = {
            "resource_group_name": site.resource_group,
            "location": site.location,
            "kind": "app,linux",
            "server_farm_id": plan.id,
            "reserved": True,
            "https_only": True,
            "client_affinity_enabled": False,
            "public_network_access": "Disabled" if args.access else "Enabled",
            "virtual_network_subnet_id": args.subnet_id,
            "key_vault_reference_identity": identity.id,
            "identity": web.ManagedServiceIdentityArgs(
                type=web.ManagedServiceIdentityType.USER_ASSIGNED, user_assigned_identities=[identity.id]
            ),
            "tags": site.tags,
        }
        app = web.WebApp(
            name,
            name=own,
            site_config=_configuration(args, args.settings),
            **shared,
            opts=child,
        )
        refuse_passwords(name, app, site, child)
        if args.slot_settings:
            web.WebAppSlotConfigurationNames(
                name,
                name=app.name,
                resource_group_name=site.resource_group,
                app_setting_names=sorted(args.slot_settings),
                opts=child,
            )
        slot = web.WebAppSlot(
            name,
            name=app.name,
            slot=SLOT,
            site_config=_configuration(args, {**args.settings, **args.slot_settings}),
            **shared,
            opts=child,
        )
        refuse_slot_passwords(name, slot, SLOT, app, site, child)
        self.ready = []
        if args.access:
            self.ready = [private_endpoint(f"{name}-site", app, "sites", args.access, site, child)]
            after = pulumi.ResourceOptions(parent=self, depends_on=[slot])
            private_endpoint(f"{name}-slot", app, f"sites-{SLOT}", args.access, site, after)
        diagnose(f"{name}-site", app, site, child, logs=["AppServiceHTTPLogs", "AppServiceAuditLogs"])

        self.host = app.default_host_name
        self.site_id = app.id
        self.identity_id = identity.principal_id
        self.register_outputs({"host": self.host, "site_id": self.site_id, "identity_id": self.identity_id})


def _configuration(args: WebSiteArgs, values: Mapping[str, pulumi.Input[str]]) -> web.SiteConfigArgs:
    return web.SiteConfigArgs(
        **transport(),
        ftps_state=web.FtpsState.DISABLED,
        always_on=True,
        linux_fx_version=args.runtime,
        app_command_line=args.start,
        health_check_path=args.health_path,
        # Name resolution and calls of the application go through the virtual network, not past its firewall.
        vnet_route_all_enabled=True,
        app_settings=settings(values),
    )
