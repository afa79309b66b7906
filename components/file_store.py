"""File store: a storage account for what users upload, and for evidence that nobody can change.

Leaves out: file shares, tables, static sites, Data Lake.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pulumi
from pulumi_azure_native import network, storage

from components.common import PrivateAccess, Site, diagnose, private_endpoint
from components.customer_key import CustomerKey
from components.file_containers import ContainerArgs, expire, make_container
from components.lock import lock
from components.storage_account import StorageArgs, make_account


@dataclass(frozen=True, kw_only=True)
class FileStoreArgs:
    """What a file store needs to know.

    site: resource group, region, tags and workspace that every block shares.
    replication: storage SKU, e.g. "Standard_ZRS". soft_delete_days: days that deleted blobs can be brought back.
    containers: by name. access: private endpoints by sub-service, "blob" and others that are used ("queue", "table",
    "file", "dfs"); closes the public address. None leaves that open to subnet_ids, which need the service endpoint
    Microsoft.Storage, and to allowed_addresses, public IPv4 addresses or CIDR blocks.
    key: encrypts what is stored; None leaves that to a key of Microsoft's. locked: keeps it from being deleted.
    """

    site: Site
    replication: str
    soft_delete_days: int
    containers: Mapping[str, ContainerArgs]
    access: Mapping[str, PrivateAccess] = field(default_factory=dict)
    subnet_ids: Sequence[pulumi.Input[str]] = ()
    allowed_addresses: Sequence[str] = ()
    key: CustomerKey | None = None
    locked: bool = False

    def __post_init__(self) -> None:
        if not 1 <= self.soft_delete_days <= 365:
            raise ValueError(f"soft_delete_days: {self.soft_delete_days} is not allowed; allowed are 1 to 365.")
        if strange := sorted(set(self.access) - {"blob", "queue", "table", "file", "dfs"}):
            raise ValueError(f"access: {strange} are no sub-services; allowed are blob, dfs, file, queue and table.")
        if self.access and "blob" not in self.access:
            raise ValueError("access: closes the public address, and blobs have no private endpoint. Add blob.")
        if self.access and (self.subnet_ids or self.allowed_addresses):
            raise ValueError("access: closes the public address, so subnet_ids and allowed_addresses have no effect.")


class FileStore(pulumi.ComponentResource):
    """Versioned blobs that only Entra identities can reach: no shared key, no anonymous access."""

    account_id: pulumi.Output[str]
    """Resource id: the scope of the Storage Blob Data roles."""
    blob_endpoint: pulumi.Output[str]
    """Base URL of its blobs."""
    container_ids: Mapping[str, pulumi.Output[str]]
    """Resource id of each container, by its name."""
    ready: Sequence[network.PrivateDnsZoneGroup]
    """What must be there before its data can be reached."""

    def __init__(self, name: str, args: FileStoreArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        own = args.site.global_name("st", name, longest=24, separator="")
        super().__init__("tributary:azure:FileStore", name, {}, opts)
        child = pulumi.ResourceOptions(parent=self)
        site = args.site

        account = make_account(
            name,
            StorageArgs(
                site=site,
                account=own,
                replication=args.replication,
                private=bool(args.access),
                subnet_ids=args.subnet_ids,
                allowed_addresses=args.allowed_addresses,
                key=args.key,
            ),
            child,
        )
        retention = storage.DeleteRetentionPolicyArgs(enabled=True, days=args.soft_delete_days)
        blobs = storage.BlobServiceProperties(
            name,
            blob_services_name="default",
            account_name=account.name,
            resource_group_name=site.resource_group,
            is_versioning_enabled=True,
            delete_retention_policy=retention,
            container_delete_retention_policy=retention,
            opts=child,
        )
        self.container_ids = {
            container: make_container(f"{name}-{container}", container, each, account, site, child)
            for container, each in args.containers.items()
        }
        expire(name, args.containers, args.soft_delete_days, account, blobs, site, child)
        self.ready = [
            private_endpoint(f"{name}-{service}", account, service, access, site, child)
            for service, access in args.access.items()
        ]
        blob_logs = {"part": "/blobServices/default", "groups": ["audit"], "metrics": ["Transaction"]}
        diagnose(f"{name}-blobs", account, site, child, **blob_logs)
        if args.locked:
            lock(f"{name}-storage", account, self)

        self.account_id = account.id
        self.blob_endpoint = account.primary_endpoints.apply(lambda endpoints: endpoints.blob)
        self.register_outputs(
            {
                "account_id": self.account_id,
                "blob_endpoint": self.blob_endpoint,
                "container_ids": self.container_ids,
            }
        )
