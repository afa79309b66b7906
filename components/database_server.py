"""Database server: the server, its key, its pool and its databases, as the first and the second region have them."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
from pulumi_azure_native import managedidentity, network, sql

from components.common import PrivateAccess, Site, diagnose, private_endpoint
from components.customer_key import CustomerKey, KeyUser, use_key

_WINDOWED = {
    "francecentral": "FranceCentral",
    "germanywestcentral": "GermanyWestCentral",
    "northeurope": "NorthEurope",
    "swedencentral": "SwedenCentral",
    "uksouth": "UKSouth",
    "ukwest": "UKWest",
    "westeurope": "WestEurope",
}
"""Regions with maintenance windows, as their names spell them (learn.microsoft.com/azure/azure-sql/database/
maintenance-window, "Azure region support")."""
_NIGHTS = {"weekday": "1", "weekend": "2"}


@dataclass(frozen=True, kw_only=True)
class PoolArgs:
    """An elastic pool. sku, tier: e.g. "GP_Gen5", "GeneralPurpose". capacity: vCores or DTUs. storage_gb: in all."""

    sku: str
    tier: str
    capacity: int
    storage_gb: int


@dataclass(frozen=True, kw_only=True)
class ServerArgs:
    """What a server and what is on it have in common: see database.DatabaseArgs.

    location: Azure region, which may be another than the site's, where the virtual network is.
    """

    site: Site
    location: str
    administrator: managedidentity.UserAssignedIdentity
    access: PrivateAccess
    key: CustomerKey | None
    zone_redundant: bool
    maintenance: str | None

    @property
    def maintenance_id(self) -> str | None:
        """Resource id of the maintenance window; None for Azure's own choice, and where the region has no windows."""
        region = _WINDOWED.get(self.location)
        if region is None or self.maintenance is None:
            return None
        configurations = f"/subscriptions/{self.site.subscription_id}/providers/Microsoft.Maintenance"
        return f"{configurations}/publicMaintenanceConfigurations/SQL_{region}_DB_{_NIGHTS[self.maintenance]}"


def server_name(name: str, site: Site) -> str:
    """What a server is called in all of Azure. Raises ValueError when that is too long."""
    return site.global_name("sql", name, longest=63)


def make_server(
    name: str, args: ServerArgs, opts: pulumi.ResourceOptions
) -> tuple[sql.Server, network.PrivateDnsZoneGroup]:
    """A server and what names it in the virtual network."""
    site = args.site
    user = use_key(f"{name}-sql", args.key, site, opts) if args.key else None
    server = sql.Server(
        name,
        server_name=server_name(name, site),
        resource_group_name=site.resource_group,
        location=args.location,
        version="12.0",
        minimal_tls_version="1.2",
        public_network_access="Disabled",
        identity=_identity(user),
        primary_user_assigned_identity_id=user.identity.id if user else None,
        # Entra-only: Azure rejects any administrator password beside it (pulumi-azure-native#2937).
        administrators=sql.ServerExternalAdministratorArgs(
            administrator_type="ActiveDirectory",
            azure_ad_only_authentication=True,
            login=args.administrator.name,
            principal_type="Application",
            sid=args.administrator.principal_id,
            tenant_id=site.tenant_id,
        ),
        tags=site.tags,
        opts=pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(depends_on=[user.grant] if user else None)),
    )
    return server, private_endpoint(f"{name}-sql", server, "sqlServer", args.access, site, opts)


def encrypt(
    name: str, key: CustomerKey, server: sql.Server, site: Site, opts: pulumi.ResourceOptions
) -> sql.EncryptionProtector:
    """Encrypts a server's databases with a key of ours, and follows its rotation.

    Azure names the key by its version, which rotation changes behind the program's back: so later ones are ignored.
    """
    label = key.newest.apply(_label)
    place = {"server_name": server.name, "resource_group_name": site.resource_group}
    made = sql.ServerKey(
        name,
        key_name=label,
        server_key_type="AzureKeyVault",
        uri=key.newest,
        **place,
        opts=pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(ignore_changes=["keyName", "uri"])),
    )
    return sql.EncryptionProtector(
        name,
        encryption_protector_name="current",
        server_key_type="AzureKeyVault",
        server_key_name=label,
        auto_rotation_enabled=True,
        **place,
        opts=pulumi.ResourceOptions.merge(
            opts, pulumi.ResourceOptions(ignore_changes=["serverKeyName"], depends_on=[made])
        ),
    )


def make_pool(
    name: str, pool: PoolArgs, args: ServerArgs, server: sql.Server, opts: pulumi.ResourceOptions
) -> sql.ElasticPool:
    """The pool of a server. Its name says nothing of the region: a database follows into the pool of the same name."""
    site = args.site
    return sql.ElasticPool(
        name,
        elastic_pool_name=site.name("sqlep", name.removesuffix("-secondary")),
        server_name=server.name,
        resource_group_name=site.resource_group,
        location=args.location,
        sku=sql.SkuArgs(name=pool.sku, tier=pool.tier, capacity=pool.capacity),
        max_size_bytes=pool.storage_gb * 1024**3,
        zone_redundant=args.zone_redundant,
        maintenance_configuration_id=args.maintenance_id,
        tags=site.tags,
        opts=opts,
    )


def make_database(
    name: str,
    database: str,
    args: ServerArgs,
    server: sql.Server,
    pool: sql.ElasticPool | None,
    opts: pulumi.ResourceOptions,
    *,
    sku: str,
    backup_redundancy: str,
    ledger: bool,
) -> sql.Database:
    """A database in the pool, or by itself with a SKU of its own."""
    site = args.site
    made = sql.Database(
        name,
        database_name=database,
        server_name=server.name,
        resource_group_name=site.resource_group,
        location=args.location,
        sku=None if pool else sql.SkuArgs(name=sku),
        elastic_pool_id=pool.id if pool else None,
        # What is in a pool follows the pool.
        zone_redundant=None if pool else args.zone_redundant,
        maintenance_configuration_id=None if pool else args.maintenance_id,
        requested_backup_storage_redundancy=backup_redundancy,
        is_ledger_on=True if ledger else None,
        tags=site.tags,
        opts=opts,
    )
    diagnose(name, made, site, opts, logs=["Errors", "Timeouts", "Deadlocks"], metrics=["Basic"], tables=False)
    return made


def _label(uri: str) -> str:
    """What Azure SQL calls a version of a key: "vault_key_version"."""
    _, _, host, _, key, version = uri.split("/")
    return "_".join((host.partition(".")[0], key, version))


def _identity(user: KeyUser | None) -> sql.ResourceIdentityArgs | None:
    if user is None:
        return None
    return sql.ResourceIdentityArgs(type=sql.IdentityType.USER_ASSIGNED, user_assigned_identities=[user.identity.id])
