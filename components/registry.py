"""Registry: a container registry for the images of our services.

Leaves out: geo-replication, cache rules, private endpoint, customer-managed key.
"""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
from pulumi_azure_native import containerregistry

from components.common import Site, diagnose


@dataclass(frozen=True, kw_only=True)
class RegistryArgs:
    """What a registry needs to know.

    site: resource group, region, tags and workspace that every block shares.
    sku: "Basic", "Standard" or "Premium". zone_redundant: spread over zones (Premium).
    retention_days: days that manifests without a tag are kept, 0 for ever (Premium).
    """

    site: Site
    sku: str
    zone_redundant: bool = False
    retention_days: int = 0


class Registry(pulumi.ComponentResource):
    """A registry that only Entra identities can pull from and push to."""

    registry_id: pulumi.Output[str]
    """Resource id: the scope of AcrPull and AcrPush."""
    login_server: pulumi.Output[str]
    """Host name (and port) that images are addressed by."""

    def __init__(self, name: str, args: RegistryArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("tributary:azure:Registry", name, {}, opts)
        child = pulumi.ResourceOptions(parent=self)
        site = args.site

        registry = containerregistry.Registry(
            name,
            registry_name=site.global_name("cr", name, longest=50, separator=""),
            resource_group_name=site.resource_group,
            location=site.location,
            sku=containerregistry.SkuArgs(name=args.sku),
            admin_user_enabled=False,
            anonymous_pull_enabled=False,
            zone_redundancy="Enabled" if args.zone_redundant else None,
            policies=containerregistry.PoliciesArgs(
                retention_policy=containerregistry.RetentionPolicyArgs(status="enabled", days=args.retention_days)
            )
            if args.retention_days
            else None,
            tags=site.tags,
            opts=child,
        )
        diagnose(f"{name}-registry", registry, site, child, groups=["audit"])

        self.registry_id = registry.id
        self.login_server = registry.login_server
        self.register_outputs({"registry_id": self.registry_id, "login_server": self.login_server})
