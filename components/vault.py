"""Vault: a key vault for secrets, for the keys that wrap and encrypt data, for keys that sign, for certificates of TLS.

Leaves out: signing the certificates that are asked for, and certificates that the vault orders by itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pulumi
from pulumi_azure_native import keyvault

from components.common import PrivateAccess, Site, assign_role, diagnose, private_endpoint
from components.customer_key import CustomerKey
from components.expiry_alerts import tell_of_expiry
from components.lock import lock
from components.name_release import NameRelease
from components.vault_certificate import CertificateArgs, VaultCertificate
from components.vault_key import KeyArgs, make_key
from components.vault_secret import make_secret


@dataclass(frozen=True, kw_only=True)
class VaultArgs:
    """What a vault needs to know.

    site: resource group, region, tags and workspace that every block shares.
    sku: "standard", or "premium" for HSM-backed keys.
    purge_protection: a deleted vault keeps its name for soft_delete_days; can't be switched off again. Without it, the
        vault is purged when it is deleted.
    access: where its private endpoint is; closes the public address. None leaves that open to subnet_ids, which need
        the service endpoint Microsoft.KeyVault, and to allowed_addresses, IPv4 addresses or CIDR blocks.
    keys: by name. locked: keeps it from being deleted.
    certificates: by name; each is asked for, and signed outside (docs/deploy.md). deployer_id: object id of the service
    principal that deploys, which gets the right to ask.
    """

    site: Site
    sku: str
    purge_protection: bool
    soft_delete_days: int
    access: PrivateAccess | None = None
    subnet_ids: Sequence[pulumi.Input[str]] = ()
    allowed_addresses: Sequence[str] = ()
    keys: Mapping[str, KeyArgs] = field(default_factory=dict)
    locked: bool = False
    certificates: Mapping[str, CertificateArgs] = field(default_factory=dict)
    deployer_id: pulumi.Input[str] | None = None

    def __post_init__(self) -> None:
        if not 7 <= self.soft_delete_days <= 90:
            raise ValueError(f"soft_delete_days: {self.soft_delete_days} is not allowed; allowed are 7 to 90.")
        hardware = sorted(name for name, key in self.keys.items() if key.hardware)
        if hardware and self.sku != "premium":
            raise ValueError(f"keys: {hardware} want hardware, which needs sku premium, and sku is {self.sku}.")
        if self.access and (self.subnet_ids or self.allowed_addresses):
            raise ValueError("access: closes the public address, so subnet_ids and allowed_addresses have no effect.")
        seals = sorted(name for name, each in self.certificates.items() if each.use == "seal")
        if seals and self.sku != "premium":
            raise ValueError(f"certificates: {seals} want hardware, which needs sku premium, and sku is {self.sku}.")
        if self.certificates and self.deployer_id is None:
            raise ValueError("deployer_id: is missing, and certificates are asked for. Say who gets the right to.")


class Vault(pulumi.ComponentResource):
    """A vault that role assignments open, not access policies."""

    vault_id: pulumi.Output[str]
    """Resource id: the scope of the Key Vault roles."""
    name: pulumi.Output[str]
    """Its name, in the whole of Azure."""
    uri: pulumi.Output[str]
    """Base URL of secrets and keys."""
    ready: Sequence[pulumi.Resource]
    """What must be there before its data can be reached."""
    requests: Mapping[str, pulumi.Output[str]]
    """What a trust service provider signs, by certificate: PKCS #10 in base64."""

    def __init__(self, name: str, args: VaultArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        vault_name = args.site.global_name("kv", name, longest=24)
        super().__init__("tributary:azure:Vault", name, {}, opts)
        child = pulumi.ResourceOptions(parent=self)
        site = args.site
        self._name, self._site = name, site

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
                public_network_access="Disabled" if args.access else "Enabled",
                network_acls=keyvault.NetworkRuleSetArgs(
                    # Azure's own services that encrypt with a key of ours come in this way, with rights of their own.
                    bypass="AzureServices",
                    default_action="Deny",
                    ip_rules=[keyvault.IPRuleArgs(value=each) for each in args.allowed_addresses],
                    virtual_network_rules=[keyvault.VirtualNetworkRuleArgs(id=each) for each in args.subnet_ids],
                ),
            ),
            tags=site.tags,
            opts=pulumi.ResourceOptions(parent=self, depends_on=waits),
        )
        diagnose(f"{name}-vault", vault, site, child, groups=["audit"])
        self._vault = vault
        self._keys = {key: make_key(f"{name}-{key}", key, each, vault, site, child) for key, each in args.keys.items()}
        self.ready = (
            [private_endpoint(f"{name}-vault", vault, "vault", args.access, site, child)] if args.access else []
        )
        if args.locked:
            lock(f"{name}-vault", vault, self)

        self.vault_id, self.name = vault.id, vault.name
        self.uri = vault.properties.apply(lambda properties: properties.vault_uri)
        self.requests = self._ask(args.certificates, args.deployer_id) if args.deployer_id is not None else {}
        self.register_outputs({"vault_id": self.vault_id, "name": self.name, "uri": self.uri})

    def _ask(
        self, certificates: Mapping[str, CertificateArgs], deployer_id: pulumi.Input[str]
    ) -> dict[str, pulumi.Output[str]]:
        """Asks for certificates, with the right to."""
        if not certificates:
            return {}
        right = assign_role(
            f"{self._name}-asks-for-certificates",
            "Key Vault Certificates Officer",
            principal_id=deployer_id,
            scope=self._vault.id,
            site=self._site,
            opts=pulumi.ResourceOptions(parent=self),
        )
        after = pulumi.ResourceOptions(parent=self, depends_on=[right, *self.ready])
        return {
            each: VaultCertificate(f"{self._name}-{each}", each, wanted, self.uri, after).request
            for each, wanted in certificates.items()
        }

    def customer_key(self, key: str) -> CustomerKey:
        """A key of the vault, for a block to encrypt its data with. Raises KeyError for one that is not there."""
        made = self._keys[key]
        return CustomerKey(key_id=made.id, vault_uri=self.uri, version_uri=made.key_uri_with_version)

    def keep(self, secret: str, value: pulumi.Input[str]) -> pulumi.Output[str]:
        """Keeps a value as a secret of the vault; its resource id, the scope of who may read it."""
        child = pulumi.ResourceOptions(parent=self)
        return make_secret(f"{self._name}-{secret}", secret, value, self._vault, self._site, child).id

    def tell_of_expiry(self, action_group_id: pulumi.Input[str]) -> None:
        """Alerts that group 30 days before a key, secret or certificate expires, and when one has."""
        opts = pulumi.ResourceOptions(parent=self)
        tell_of_expiry(self._name, self._vault, action_group_id, self._site, opts)
