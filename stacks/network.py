"""Network: the platform's virtual network, made as the settings say."""

from __future__ import annotations

from components.common import PrivateAccess, Site
from components.egress import AllowedArgs, FirewallArgs, NatArgs
from components.network import Network, NetworkArgs
from stacks.settings import Settings

SQL_ZONE = "privatelink.database.windows.net"
BUS_ZONE = "privatelink.servicebus.windows.net"
VAULT_ZONE = "privatelink.vaultcore.azure.net"
BLOB_ZONE = "privatelink.blob.core.windows.net"
QUEUE_ZONE = "privatelink.queue.core.windows.net"
TABLE_ZONE = "privatelink.table.core.windows.net"
REGISTRY_ZONE = "privatelink.azurecr.io"
APP_ZONE = "privatelink.azurewebsites.net"
_ALWAYS = (SQL_ZONE, BUS_ZONE, APP_ZONE)
_WHERE_PRIVATE = (VAULT_ZONE, BLOB_ZONE, QUEUE_ZONE, TABLE_ZONE, REGISTRY_ZONE)
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
            private_zones=[*_ALWAYS, settings.inner_domain, *(_WHERE_PRIVATE if network.private else ())],
        ),
    )


def access(network: Network, zone: str) -> PrivateAccess:
    """Where a service gets its private endpoint, and the zone that names it."""
    return PrivateAccess(subnet_id=network.subnet_ids["private-endpoints"], zone_id=network.zone_ids[zone])


def _egress(settings: Settings) -> NatArgs | FirewallArgs | None:
    network = settings.network
    if network.egress == "firewall":
        allowed = {name: AllowedArgs(**each.model_dump()) for name, each in network.allowed_hosts.items()}
        return FirewallArgs(tier=network.firewall_tier, allowed=allowed, zones=settings.cluster.zones)
    return NatArgs() if network.egress == "nat" else None
