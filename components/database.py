"""Database: a SQL server that only Entra identities enter, and a database a service, in a pool or each its own.

Leaves out: users inside the databases, which are made by T-SQL and not by ARM (stacks/aggregator.py); read replicas.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
from pulumi_azure_native import managedidentity, sql

from components.common import PrivateAccess, Site
from components.customer_key import CustomerKey
from components.database_backups import RetentionArgs, keep_backups
from components.database_failover import SecondaryArgs, fail_over, group_name
from components.database_protection import ProtectionArgs, audit, protect_database, protect_server
from components.database_server import PoolArgs, ServerArgs, encrypt, make_database, make_pool, make_server, server_name
from components.identities import make_identity
from components.lock import lock
from components.sensitivity_labels import LabelArgs, label_columns


@dataclass(frozen=True, kw_only=True)
class DatabaseArgs:
    """What a database server needs to know.

    site: resource group, region, tags and workspace that every block shares; the workspace gets the audit, too.
    databases: their names. sku: of a database outside a pool, e.g. "S0".
    backup_redundancy: "Local", "Zone", "Geo" or "GeoZone". zone_redundant: spread over zones.
    pool: capacity that the databases share; None gives each its own.
    access: where its private endpoint is; there is no other way in.
    ledger: databases whose tables can't be tampered with. It can't be undone, and deleted rows stay in its history: so
    never where erasure must work.
    key: encrypts the databases; None leaves that to a key of Microsoft's. protection: None leaves threat protection
    off. retention: None keeps backups for Azure's seven days. maintenance: "weekday" or "weekend" nights, where the
    region has such windows. secondary: a second region that takes over. locked: keeps the server from being deleted.
    """

    site: Site
    databases: Sequence[str]
    sku: str
    backup_redundancy: str
    access: PrivateAccess
    zone_redundant: bool = False
    pool: PoolArgs | None = None
    ledger: Sequence[str] = ()
    key: CustomerKey | None = None
    protection: ProtectionArgs | None = None
    retention: RetentionArgs | None = None
    maintenance: str | None = None
    secondary: SecondaryArgs | None = None
    locked: bool = False

    def __post_init__(self) -> None:
        if len(set(self.databases)) < len(self.databases):
            raise ValueError(f"databases: {sorted(self.databases)} are not all different. Give each its own name.")
        if strange := sorted(set(self.ledger) - set(self.databases)):
            raise ValueError(f"ledger: {strange} are no databases; allowed are {sorted(self.databases)}.")
        if self.key and self.key.version_uri is None:
            raise ValueError("key: has no version_uri, and Azure SQL names keys by their version. Give it.")
        if self.maintenance not in (None, "weekday", "weekend"):
            raise ValueError(f"maintenance: {self.maintenance!r} is not allowed; allowed are weekday and weekend.")
        if self.zone_redundant and self.pool and self.pool.tier in ("Basic", "Standard"):
            raise ValueError(f"zone_redundant: tier {self.pool.tier} has no zones; allowed are Premium and vCores.")
        if self.secondary and self.secondary.location == self.site.location:
            raise ValueError(f"secondary: {self.secondary.location} is the region it is to stand in for. Name another.")
        if self.secondary and self.backup_redundancy in ("Local", "Zone"):
            raise ValueError(
                f"backup_redundancy: {self.backup_redundancy} keeps backups in one region, and there is a secondary in "
                "another; allowed are Geo and GeoZone."
            )


class Database(pulumi.ComponentResource):
    """A SQL server without any password, administered by an identity of its own."""

    fqdn: pulumi.Output[str]
    """Address to connect to: of the server, or of the failover group, which stays the same when a region fails."""
    server_id: pulumi.Output[str]
    """Resource id of the server."""
    database_ids: Mapping[str, pulumi.Output[str]]
    """Resource id of each database, by its name."""
    administrator: managedidentity.UserAssignedIdentity
    """The identity that may create users and run migrations."""

    def __init__(self, name: str, args: DatabaseArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        # What is too long is refused here, before anything is registered.
        server_name(name, args.site)
        if args.secondary:
            server_name(f"{name}-secondary", args.site)
            group_name(name, args.site)
        super().__init__("tributary:azure:Database", name, {}, opts)
        child = pulumi.ResourceOptions(parent=self)
        self._name, self._site = name, args.site

        self.administrator = make_identity(f"{name}-dbadmin", args.site, child)
        common = ServerArgs(
            site=args.site,
            location=args.site.location,
            administrator=self.administrator,
            access=args.access,
            key=args.key,
            zone_redundant=args.zone_redundant,
            maintenance=args.maintenance,
        )
        self._server, self._endpoint = make_server(name, common, child)
        protectors = [encrypt(name, args.key, self._server, args.site, child)] if args.key else []
        pool = make_pool(name, args.pool, common, self._server, child) if args.pool else None
        self._databases = {each: self._database(each, args, common, pool) for each in args.databases}
        self.fqdn, servers = self._server.fully_qualified_domain_name, {name: self._server}
        if args.secondary:
            partner, self.fqdn = fail_over(
                name, args.secondary, common, args.pool, self._server, self._databases, protectors, child
            )
            servers[f"{name}-secondary"] = partner
        for label, server in servers.items():
            audit(label, server, args.site, child)
            if args.protection:
                protect_server(label, args.protection, server, args.site, child)
        for database, made in self._databases.items():
            label = f"{name}-{database}"
            if args.protection:
                protect_database(label, args.protection, self._server, made, args.site, child)
            if args.retention:
                keep_backups(label, args.retention, self._server, made, args.site, child)
        for label, server in servers.items() if args.locked else ():
            lock(f"{label}-sql", server, self)
        self.server_id = self._server.id
        self.database_ids = {each: made.id for each, made in self._databases.items()}
        self.register_outputs({"fqdn": self.fqdn, "server_id": self.server_id, "database_ids": self.database_ids})

    def prerequisites(self, database: str) -> list[pulumi.Resource]:
        """What must be there before one can connect to a database. Raises KeyError for one that is not there."""
        return [self._databases[database], self._endpoint]

    def classify(self, database: str, labels: Sequence[LabelArgs], after: Sequence[pulumi.Resource]) -> None:
        """Labels columns of a database. after: what makes the columns, e.g. the migrations.

        Raises KeyError for a database that is not there.
        """
        opts = pulumi.ResourceOptions(parent=self, depends_on=list(after))
        label_columns(f"{self._name}-{database}", labels, self._server, self._databases[database], self._site, opts)

    def _database(
        self, database: str, args: DatabaseArgs, server: ServerArgs, pool: sql.ElasticPool | None
    ) -> sql.Database:
        return make_database(
            f"{self._name}-{database}",
            database,
            server,
            self._server,
            pool,
            pulumi.ResourceOptions(parent=self),
            sku=args.sku,
            backup_redundancy=args.backup_redundancy,
            ledger=database in args.ledger,
        )
