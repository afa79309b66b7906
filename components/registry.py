"""Registry: a container registry for the images of our services, and for copies of public ones.

Leaves out: tasks, tokens and scope maps (they are passwords), connected registries. Who may pull and push is granted by
whoever needs it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pulumi
from pulumi_azure_native import containerregistry

from components.common import PrivateAccess, Site, diagnose, private_endpoint
from components.customer_key import CustomerKey, KeyUser, use_key
from components.identities import by_id
from components.lock import lock


@dataclass(frozen=True, kw_only=True)
class RegistryArgs:
    """What a registry needs to know.

    site: resource group, region, tags and workspace that every block shares.
    sku: "Basic", "Standard", or "Premium", which all that follows needs.
    zone_redundant: spread over zones. retention_days: days that manifests without a tag are kept, 0 for ever.
    replicas: further regions that hold every image, and whether it is spread over zones there, as some have none.
    cached: public repositories by the repository that copies them, e.g. {"mcr/*": "mcr.microsoft.com/*"}.
    access: where its private endpoint is; closes the public address, and images can't be exported then.
    key: encrypts images; can't be added later. locked: keeps it from being deleted.
    """

    site: Site
    sku: str
    zone_redundant: bool = False
    retention_days: int = 0
    replicas: Mapping[str, bool] = field(default_factory=dict)
    cached: Mapping[str, str] = field(default_factory=dict)
    access: PrivateAccess | None = None
    key: CustomerKey | None = None
    locked: bool = False

    def __post_init__(self) -> None:
        if not 0 <= self.retention_days <= 365:
            raise ValueError(f"retention_days: {self.retention_days} is not allowed; allowed are 0 to 365.")
        if self.site.location in self.replicas:
            raise ValueError(f"replicas: {self.site.location} is where the registry is. Leave it out.")
        if wild := [name for name, source in self.cached.items() if name.endswith("/*") != source.endswith("/*")]:
            raise ValueError(f"cached: {wild} copy one into many, or many into one. End both in /*, or none.")
        if self.sku == "Premium":
            return
        for name in ("zone_redundant", "retention_days", "replicas", "access", "key"):
            if getattr(self, name):
                raise ValueError(f"{name}: needs sku Premium, and sku is {self.sku}. Leave it out, or raise the sku.")


class Registry(pulumi.ComponentResource):
    """A registry that only Entra identities can pull from and push to."""

    registry_id: pulumi.Output[str]
    """Resource id: the scope of AcrPull and AcrPush."""
    login_server: pulumi.Output[str]
    """Host name (and port) that images are addressed by."""
    ready: Sequence[pulumi.Resource]
    """What must be there before its images can be reached."""

    def __init__(self, name: str, args: RegistryArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        own = args.site.global_name("cr", name, longest=50, separator="")
        super().__init__("tributary:azure:Registry", name, {}, opts)
        child = pulumi.ResourceOptions(parent=self)
        site = args.site

        registry = self._registry(name, own, args)
        replicas = [self._replica(name, *each, args.site, registry) for each in args.replicas.items()]
        for target, source in args.cached.items():
            label = f"cache-{target.removesuffix('/*').replace('/', '-')}"
            containerregistry.CacheRule(
                f"{name}-{label}",
                cache_rule_name=label,
                registry_name=registry.name,
                resource_group_name=site.resource_group,
                source_repository=source,
                target_repository=target,
                opts=child,
            )
        diagnose(f"{name}-registry", registry, site, child, groups=["audit"])
        self.ready = []
        if args.access:
            # An endpoint has an address a region: it is made when all of them are there.
            after = pulumi.ResourceOptions(parent=self, depends_on=replicas)
            self.ready = [private_endpoint(f"{name}-registry", registry, "registry", args.access, site, after)]
        if args.locked:
            lock(f"{name}-registry", registry, self)

        self.registry_id = registry.id
        self.login_server = registry.login_server
        self.register_outputs({"registry_id": self.registry_id, "login_server": self.login_server})

    def _registry(self, name: str, own: str, args: RegistryArgs) -> containerregistry.Registry:
        site = args.site
        user = use_key(f"{name}-registry", args.key, site, pulumi.ResourceOptions(parent=self)) if args.key else None
        return containerregistry.Registry(
            name,
            registry_name=own,
            resource_group_name=site.resource_group,
            location=site.location,
            sku=containerregistry.SkuArgs(name=args.sku),
            admin_user_enabled=False,
            anonymous_pull_enabled=False,
            zone_redundancy="Enabled" if args.zone_redundant else None,
            public_network_access="Disabled" if args.access else "Enabled",
            # Defender, which scans images, is a trusted service.
            network_rule_bypass_options="AzureServices" if args.access else None,
            identity=containerregistry.IdentityPropertiesArgs(
                type=containerregistry.ResourceIdentityType.USER_ASSIGNED,
                user_assigned_identities=by_id(user.identity),
            )
            if user
            else None,
            encryption=_encryption(args.key, user),
            policies=_policies(args),
            tags=site.tags,
            opts=pulumi.ResourceOptions(parent=self, depends_on=[user.grant] if user else None),
        )

    def _replica(
        self, name: str, location: str, zoned: bool, site: Site, registry: containerregistry.Registry
    ) -> containerregistry.Replication:
        return containerregistry.Replication(
            f"{name}-{location}",
            replication_name=location,
            registry_name=registry.name,
            resource_group_name=site.resource_group,
            location=location,
            region_endpoint_enabled=True,
            zone_redundancy="Enabled" if zoned else None,
            tags=site.tags,
            opts=pulumi.ResourceOptions(parent=self),
        )


def _encryption(key: CustomerKey | None, user: KeyUser | None) -> containerregistry.EncryptionPropertyArgs | None:
    if key is None or user is None:
        return None
    return containerregistry.EncryptionPropertyArgs(
        status="enabled",
        # Without a version the newest one is followed (learn.microsoft.com/azure/container-registry/
        # tutorial-rotate-revoke-customer-managed-keys).
        key_vault_properties=containerregistry.KeyVaultPropertiesArgs(
            key_identifier=key.uri, identity=user.identity.client_id
        ),
    )


def _policies(args: RegistryArgs) -> containerregistry.PoliciesArgs | None:
    if not (args.retention_days or args.access):
        return None
    kept = containerregistry.RetentionPolicyArgs(status="enabled", days=args.retention_days)
    return containerregistry.PoliciesArgs(
        retention_policy=kept if args.retention_days else None,
        # Azure takes that with the public address closed only.
        export_policy=containerregistry.ExportPolicyArgs(status="disabled") if args.access else None,
    )
