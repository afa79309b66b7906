"""Storage account: closed to everything but Entra identities."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
from pulumi_azure_native import storage

from components.common import Site
from components.customer_key import CustomerKey, KeyUser, use_key


@dataclass(frozen=True, kw_only=True)
class StorageArgs:
    """See file_store.FileStoreArgs. account: its name. private: whether the public address is closed."""

    site: Site
    account: str
    replication: str
    private: bool
    subnet_ids: Sequence[pulumi.Input[str]]
    allowed_addresses: Sequence[str]
    key: CustomerKey | None


def make_account(name: str, args: StorageArgs, opts: pulumi.ResourceOptions) -> storage.StorageAccount:
    """An account whose keys open nothing, encrypted twice."""
    site = args.site
    user = use_key(f"{name}-storage", args.key, site, opts) if args.key else None
    return storage.StorageAccount(
        name,
        account_name=args.account,
        resource_group_name=site.resource_group,
        location=site.location,
        kind=storage.Kind.STORAGE_V2,
        sku=storage.SkuArgs(name=args.replication),
        access_tier=storage.AccessTier.HOT,
        allow_blob_public_access=False,
        allow_cross_tenant_replication=False,
        allow_shared_key_access=False,
        default_to_o_auth_authentication=True,
        enable_https_traffic_only=True,
        # SFTP's and shares' local users sign in with passwords.
        is_local_user_enabled=False,
        minimum_tls_version="TLS1_2",
        public_network_access="Disabled" if args.private else "Enabled",
        identity=_identity(user),
        encryption=_encryption(args.key, user),
        network_rule_set=storage.NetworkRuleSetArgs(
            bypass="AzureServices",
            default_action=storage.DefaultAction.DENY,
            ip_rules=[storage.IPRuleArgs(i_p_address_or_range=each) for each in args.allowed_addresses],
            virtual_network_rules=[
                storage.VirtualNetworkRuleArgs(virtual_network_resource_id=each) for each in args.subnet_ids
            ],
        ),
        tags=site.tags,
        opts=pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(depends_on=[user.grant] if user else None)),
    )


def _identity(user: KeyUser | None) -> storage.IdentityArgs | None:
    if user is None:
        return None
    return storage.IdentityArgs(type=storage.IdentityType.USER_ASSIGNED, user_assigned_identities=[user.identity.id])


def _encryption(key: CustomerKey | None, user: KeyUser | None) -> storage.EncryptionArgs:
    # Queues and tables are left to a key of Microsoft's otherwise, for good: it is fixed when the account is made
    # (learn.microsoft.com/azure/storage/common/account-encryption-key-create).
    each = storage.EncryptionServiceArgs(enabled=True, key_type="Account")
    services = storage.EncryptionServicesArgs(blob=each, file=each, queue=each, table=each)
    if key is None or user is None:
        return storage.EncryptionArgs(
            key_source="Microsoft.Storage", require_infrastructure_encryption=True, services=services
        )
    return storage.EncryptionArgs(
        key_source="Microsoft.Keyvault",
        # Without a version the newest one is followed (learn.microsoft.com/azure/storage/common/
        # customer-managed-keys-configure-existing-account).
        key_vault_properties=storage.KeyVaultPropertiesArgs(key_name=key.name, key_vault_uri=key.vault_uri),
        encryption_identity=storage.EncryptionIdentityArgs(encryption_user_assigned_identity=user.identity.id),
        require_infrastructure_encryption=True,
        services=services,
    )
