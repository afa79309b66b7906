"""Vault: a key vault for secrets and for the key that wraps users' keys.

Leaves out: certificates, HSM keys, rotation policies, expiry alerts, private endpoint.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
from pulumi_azure_native import keyvault

from components.common import Site, diagnose
from components.name_release import NameRelease


@dataclass(frozen=True, kw_only=True)
class VaultArgs:
    """What a vault needs to know.

    site: resource group, region, tags and workspace that every block shares.
    sku: "standard", or "premium" for HSM-backed keys.
    purge_protection: a deleted vault keeps its name for soft_delete_days; can't be switched off again. Without it, the
        vault is purged when it is deleted.
    subnet_ids: subnets with the service endpoint Microsoft.KeyVault whose traffic is let in.
    keys: names of RSA keys that wrap other keys.
    """

    site: Site
    sku: str
    purge_protection: bool
    soft_delete_days: int
    subnet_ids: Sequence[pulumi.Input[str]] = ()
    keys: Sequence[str] = ()


class Vault(pulumi.ComponentResource):
    """A vault that role assignments open, not access policies."""

    vault_id: pulumi.Output[str]
    """Resource id: the scope of the Key Vault roles."""
    uri: pulumi.Output[str]
    """Base URL of secrets and keys."""

    def __init__(self, name: str, args: VaultArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("tributary:azure:Vault", name, {}, opts)
        child = pulumi.ResourceOptions(parent=self)
        site = args.site

        vault_name = site.global_name("kv", name, longest=24)
        waits: list[pulumi.Resource] = []
        if not args.purge_protection:
            waits.append(NameRelease(name, "vault", vault_name, site.location, site.subscription_id, child))
        vault = keyvault.Vault(
            name,
            vault_name=vault_name,
            resource_group_name=site.resource_group,
            location=site.location,
            properties=keyvault.VaultPropertiesArgs(
                tenant_id=site.tenant_id,
                sku=keyvault.SkuArgs(family="A", name=keyvault.SkuName(args.sku)),
                enable_rbac_authorization=True,
                enable_soft_delete=True,
                # Azure refuses false: absent is the only way to leave it off.
                enable_purge_protection=True if args.purge_protection else None,
                soft_delete_retention_in_days=args.soft_delete_days,
                network_acls=keyvault.NetworkRuleSetArgs(
                    bypass="AzureServices",
                    default_action="Deny",
                    virtual_network_rules=[keyvault.VirtualNetworkRuleArgs(id=each) for each in args.subnet_ids],
                ),
            ),
            tags=site.tags,
            opts=pulumi.ResourceOptions(parent=self, depends_on=waits),
        )
        diagnose(f"{name}-vault", vault, site, child, groups=["audit"])
        for key in args.keys:
            keyvault.Key(
                f"{name}-{key}",
                key_name=key,
                vault_name=vault.name,
                resource_group_name=site.resource_group,
                properties=keyvault.KeyPropertiesArgs(kty="RSA", key_size=3072, key_ops=["wrapKey", "unwrapKey"]),
                tags=site.tags,
                opts=child,
            )

        self.vault_id = vault.id
        self.uri = vault.properties.apply(lambda properties: properties.vault_uri)
        self.register_outputs({"vault_id": self.vault_id, "uri": self.uri})
