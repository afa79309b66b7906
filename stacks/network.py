"""Network: the platform's virtual network, made as the settings say."""

from __future__ import annotations

from urllib.parse import urlsplit

from components.common import PrivateAccess, Site
from components.firewall import AllowedArgs, FirewallArgs
from components.nat_gateway import NatArgs
from components.network import Network, NetworkArgs
from stacks.settings import Settings

SQL_ZONE = "privatelink.database.windows.net"
BUS_ZONE = "privatelink.servicebus.windows.net"
HUB_ZONE = "privatelink.notificationhub.windows.net"
"""Notification Hubs' own; their names are in Service Bus', too (Notification Hubs REST API, PrivateLinkResources)."""
VAULT_ZONE = "privatelink.vaultcore.azure.net"
BLOB_ZONE = "privatelink.blob.core.windows.net"
QUEUE_ZONE = "privatelink.queue.core.windows.net"
TABLE_ZONE = "privatelink.table.core.windows.net"
REGISTRY_ZONE = "privatelink.azurecr.io"
APP_ZONE = "privatelink.azurewebsites.net"
MONITOR_ZONE = "privatelink.monitor.azure.com"
MONITOR_ZONES = (
    "privatelink.oms.opinsights.azure.com",
    "privatelink.ods.opinsights.azure.com",
    "privatelink.agentsvc.azure-automation.net",
)
"""The further zones of Azure Monitor's names, beside that of blobs."""
_ALWAYS = (SQL_ZONE, BUS_ZONE, APP_ZONE, BLOB_ZONE, QUEUE_ZONE, TABLE_ZONE)
_WHERE_PRIVATE = (VAULT_ZONE, REGISTRY_ZONE, MONITOR_ZONE, *MONITOR_ZONES)
"""Names of the services in the virtual network (learn.microsoft.com/azure/private-link/private-endpoint-dns)."""


def make_network(settings: Settings, site: Site) -> Network:
    """The network, its way out, and the private DNS zones that resolve in it."""
    network = settings.network
    return Network(
        "main",
        NetworkArgs(
            site=site,
            address_space=network.address_space,
            subnets=network.subnets.purposes(),
            pods=network.pods,
            egress=_egress(settings),
            service_endpoints=not network.private,
            public=() if settings.gateway.internal else ("gateway",),
            deployers=network.deployers,
            private_zones=[*_ALWAYS, settings.inner_domain, *_further(settings)],
        ),
    )


def metrics_zone(location: str) -> str:
    """The zone of the names that metrics are asked for by: each region has its own."""
    return f"privatelink.{location}.prometheus.monitor.azure.com"


def cluster_zone(location: str) -> str:
    """The zone of private API servers' names, where they are in the virtual network (learn.microsoft.com/azure/aks/
    private-clusters, "Configuration options for private DNS")."""
    return f"private.{location}.azmk8s.io"


def _further(settings: Settings) -> list[str]:
    found = [cluster_zone(settings.location)] if settings.cluster.private else []
    found += [HUB_ZONE] if settings.notifications.tier == "Standard" else []
    if settings.network.private:
        found += _WHERE_PRIVATE
        found += [metrics_zone(settings.location)] if settings.cluster.observed else []
    return found


def access(network: Network, zone: str, *further: str) -> PrivateAccess:
    """Where a service gets its private endpoint, and the zones that name it."""
    return PrivateAccess(
        subnet_id=network.subnet_ids["private-endpoints"],
        zone_id=network.zone_ids[zone],
        further_zone_ids={each.removeprefix("privatelink."): network.zone_ids[each] for each in further},
    )


def _egress(settings: Settings) -> NatArgs | FirewallArgs | None:
    network = settings.network
    if network.egress == "firewall":
        allowed = {name: AllowedArgs(**each.model_dump()) for name, each in network.allowed_hosts.items()}
        # Services fetch the keys that people's tokens are signed with.
        asked = (settings.sign_in.issuer, settings.sign_in.document)
        hosts = list(dict.fromkeys(urlsplit(each).hostname or "" for each in asked))
        allowed["sign-in"] = AllowedArgs(sources=["cluster"], hosts=hosts)
        if settings.identity:  # a service changes and deletes people's accounts there
            graph = urlsplit(settings.identity.graph).hostname or ""
            allowed["directory"] = AllowedArgs(sources=["cluster"], hosts=[graph])
        return FirewallArgs(tier=network.firewall_tier, allowed=allowed, zones=settings.cluster.zones)
    return NatArgs() if network.egress == "nat" else None
