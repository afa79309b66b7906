"""Database: a SQL server that only Entra identities enter, and a database a service.

Leaves out: auditing, threat protection, vulnerability assessment, failover group, customer-managed key.
Users inside the databases are made by T-SQL, not by ARM: see stacks/aggregator.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
from pulumi_azure_native import managedidentity, sql

from components.common import PrivateAccess, Site, diagnose, private_endpoint


@dataclass(frozen=True, kw_only=True)
class PoolArgs:
    """An elastic pool. sku, tier: e.g. "GP_Gen5", "GeneralPurpose". capacity: vCores or DTUs. storage_gb: in all."""

    sku: str
    tier: str
    capacity: int
    storage_gb: int


@dataclass(frozen=True, kw_only=True)
class DatabaseArgs:
    """What a database server needs to know.

    site: resource group, region, tags and workspace that every block shares.
    databases: their names. sku: of a database outside a pool, e.g. "S0".
    backup_redundancy: "Local", "Zone", "Geo" or "GeoZone".
    pool: capacity that the databases share; None gives each its own.
    access: where its private endpoint is; there is no other way in.
    """

    site: Site
    databases: Sequence[str]
    sku: str
    backup_redundancy: str
    zone_redundant: bool = False
    pool: PoolArgs | None = None
    access: PrivateAccess


class Database(pulumi.ComponentResource):
    """A SQL server without any password, administered by an identity of its own."""

    fqdn: pulumi.Output[str]
    """Address of the server."""
    administrator: managedidentity.UserAssignedIdentity
    """The identity that may create users and run migrations."""

    def __init__(self, name: str, args: DatabaseArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("tributary:azure:Database", name, {}, opts)
        child = pulumi.ResourceOptions(parent=self)
        site = args.site

        self.administrator = managedidentity.UserAssignedIdentity(
            f"{name}-dbadmin",
            resource_name_=site.name("id", f"{name}-dbadmin"),
            resource_group_name=site.resource_group,
            location=site.location,
            tags=site.tags,
            opts=child,
        )
        server = sql.Server(
            name,
            server_name=site.global_name("sql", name, longest=63),
            resource_group_name=site.resource_group,
            location=site.location,
            version="12.0",
            minimal_tls_version="1.2",
            public_network_access="Disabled",
            # Entra-only: Azure rejects any administrator password beside it (pulumi-azure-native#2937).
            administrators=sql.ServerExternalAdministratorArgs(
                administrator_type="ActiveDirectory",
                azure_ad_only_authentication=True,
                login=self.administrator.name,
                principal_type="Application",
                sid=self.administrator.principal_id,
                tenant_id=site.tenant_id,
            ),
            tags=site.tags,
            opts=child,
        )
        self._endpoint = private_endpoint(f"{name}-sql", server, "sqlServer", args.access, site, child)
        pool = self._pool(name, args.pool, args, server) if args.pool else None
        self._databases = {each: self._database(f"{name}-{each}", each, args, server, pool) for each in args.databases}

        self.fqdn = server.fully_qualified_domain_name
        self.register_outputs({"fqdn": self.fqdn})

    def prerequisites(self, database: str) -> list[pulumi.Resource]:
        """What must be there before one can connect to a database. Raises KeyError for one that is not there."""
        return [self._databases[database], self._endpoint]

    def _pool(self, name: str, pool: PoolArgs, args: DatabaseArgs, server: sql.Server) -> sql.ElasticPool:
        site = args.site
        return sql.ElasticPool(
            name,
            elastic_pool_name=site.name("sqlep", name),
            server_name=server.name,
            resource_group_name=site.resource_group,
            location=site.location,
            sku=sql.SkuArgs(name=pool.sku, tier=pool.tier, capacity=pool.capacity),
            max_size_bytes=pool.storage_gb * 1024**3,
            zone_redundant=args.zone_redundant,
            tags=site.tags,
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _database(
        self, name: str, database: str, args: DatabaseArgs, server: sql.Server, pool: sql.ElasticPool | None
    ) -> sql.Database:
        site = args.site
        child = pulumi.ResourceOptions(parent=self)
        made = sql.Database(
            name,
            database_name=database,
            server_name=server.name,
            resource_group_name=site.resource_group,
            location=site.location,
            sku=None if pool else sql.SkuArgs(name=args.sku),
            elastic_pool_id=pool.id if pool else None,
            zone_redundant=None if pool else args.zone_redundant,
            requested_backup_storage_redundancy=args.backup_redundancy,
            tags=site.tags,
            opts=child,
        )
        diagnose(name, made, site, child, logs=["Errors", "Timeouts", "Deadlocks"], metrics=["Basic"])
        return made
