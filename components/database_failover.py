"""Database failover: a second region that holds the same databases, and one address that leads to whichever serves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import pulumi
from pulumi_azure_native import sql

from components.common import PrivateAccess, Site
from components.customer_key import CustomerKey
from components.database_server import PoolArgs, ServerArgs, encrypt, make_pool, make_server


@dataclass(frozen=True, kw_only=True)
class SecondaryArgs:
    """The second region. location: Azure region; zone_redundant: where it has zones.

    access: where its server's private endpoint is, e.g. the first's. key: in a vault that the second region reaches
    when the first is lost; None: the first's. grace_minutes: an outage that lasts longer is answered with a failover,
    at the cost of what was not copied yet; 60 or more.
    """

    location: str
    access: PrivateAccess
    key: CustomerKey | None = None
    zone_redundant: bool = True
    grace_minutes: int = 60

    def __post_init__(self) -> None:
        if self.grace_minutes < 60:
            raise ValueError(f"grace_minutes: {self.grace_minutes} is not allowed; allowed are 60 and more.")


def group_name(name: str, site: Site) -> str:
    """What a failover group is called in all of Azure. Raises ValueError when that is too long."""
    return site.global_name("sqlfg", name, longest=63)


def fail_over(
    name: str,
    args: SecondaryArgs,
    first: ServerArgs,
    pool: PoolArgs | None,
    server: sql.Server,
    databases: Mapping[str, sql.Database],
    protectors: Sequence[sql.EncryptionProtector],
    opts: pulumi.ResourceOptions,
) -> tuple[sql.Server, pulumi.Output[str]]:
    """Makes the second server and the group; answers that server, and the address of the group's writing side.

    protectors: the first server's, where it has a key of its own.

    The databases follow by themselves, each into the pool of the same name (learn.microsoft.com/azure/azure-sql/
    database/failover-group-sql-db).
    """
    site = first.site
    second = replace(
        first,
        location=args.location,
        access=args.access,
        key=args.key or first.key,
        zone_redundant=first.zone_redundant and args.zone_redundant,
    )
    label = f"{name}-secondary"
    partner, _ = make_server(label, second, opts)
    # A copy goes to a server that has the key already (learn.microsoft.com/azure/azure-sql/database/
    # transparent-data-encryption-byok-overview, "Geo-DR and customer-managed TDE").
    waits: list[pulumi.Resource] = [*protectors]
    if second.key:
        waits.append(encrypt(label, second.key, partner, site, opts))
    if pool:
        waits.append(make_pool(label, pool, second, partner, opts))
    group = group_name(name, site)
    sql.FailoverGroup(
        name,
        failover_group_name=group,
        server_name=server.name,
        resource_group_name=site.resource_group,
        partner_servers=[sql.PartnerInfoArgs(id=partner.id)],
        read_write_endpoint=sql.FailoverGroupReadWriteEndpointArgs(
            failover_policy="Automatic", failover_with_data_loss_grace_period_minutes=args.grace_minutes
        ),
        read_only_endpoint=sql.FailoverGroupReadOnlyEndpointArgs(failover_policy="Disabled"),
        databases=[each.id for each in databases.values()],
        tags=site.tags,
        opts=pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(depends_on=waits)),
    )
    address = server.fully_qualified_domain_name.apply(lambda fqdn: f"{group}.{fqdn.partition('.')[2]}")
    return partner, address
