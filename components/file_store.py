"""File store: a storage account with a container for what users upload.

Leaves out: immutable audit evidence, lifecycle rules, customer-managed key, private endpoints.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
from pulumi_azure_native import storage

from components.common import Site, diagnose


@dataclass(frozen=True, kw_only=True)
class FileStoreArgs:
    """What a file store needs to know.

    site: resource group, region, tags and workspace that every block shares.
    replication: storage SKU, e.g. "Standard_ZRS". soft_delete_days: days that deleted blobs can be brought back.
    containers: names of its blob containers.
    subnet_ids: subnets with the service endpoint Microsoft.Storage whose traffic is let in.
    """

    site: Site
    replication: str
    soft_delete_days: int
    containers: Sequence[str]
    subnet_ids: Sequence[pulumi.Input[str]] = ()


class FileStore(pulumi.ComponentResource):
    """Versioned blobs that only Entra identities can reach: no shared key, no anonymous access."""

    account_id: pulumi.Output[str]
    """Resource id: the scope of the Storage Blob Data roles."""
    blob_endpoint: pulumi.Output[str]
    """Base URL of its blobs."""

    def __init__(self, name: str, args: FileStoreArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("tributary:azure:FileStore", name, {}, opts)
        child = pulumi.ResourceOptions(parent=self)
        site = args.site

        account = storage.StorageAccount(
            name,
            account_name=site.global_name("st", name, longest=24, separator=""),
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
            minimum_tls_version="TLS1_2",
            encryption=storage.EncryptionArgs(
                key_source="Microsoft.Storage",
                require_infrastructure_encryption=True,
                services=storage.EncryptionServicesArgs(
                    blob=storage.EncryptionServiceArgs(enabled=True, key_type="Account")
                ),
            ),
            network_rule_set=storage.NetworkRuleSetArgs(
                bypass="AzureServices",
                default_action=storage.DefaultAction.DENY,
                virtual_network_rules=[
                    storage.VirtualNetworkRuleArgs(virtual_network_resource_id=each) for each in args.subnet_ids
                ],
            ),
            tags=site.tags,
            opts=child,
        )
        retention = storage.DeleteRetentionPolicyArgs(enabled=True, days=args.soft_delete_days)
        storage.BlobServiceProperties(
            name,
            blob_services_name="default",
            account_name=account.name,
            resource_group_name=site.resource_group,
            is_versioning_enabled=True,
            delete_retention_policy=retention,
            container_delete_retention_policy=retention,
            opts=child,
        )
        for container in args.containers:
            storage.BlobContainer(
                f"{name}-{container}",
                container_name=container,
                account_name=account.name,
                resource_group_name=site.resource_group,
                public_access=storage.PublicAccess.NONE,
                opts=child,
            )
        diagnose(
            f"{name}-blobs",
            account,
            site,
            child,
            part="/blobServices/default",
            groups=["audit"],
            metrics=["Transaction"],
        )

        self.account_id = account.id
        self.blob_endpoint = account.primary_endpoints.apply(lambda endpoints: endpoints.blob)
        self.register_outputs({"account_id": self.account_id, "blob_endpoint": self.blob_endpoint})
