"""Network: the platform's virtual network, made as the settings say."""

from __future__ import annotations

from collections.abc import Sequence

from components.common import Site
from components.egress import AllowedArgs, FirewallArgs, NatArgs
from components.network import Network, NetworkArgs
from stacks.settings import Settings


def make_network(settings: Settings, site: Site, private_zones: Sequence[str]) -> Network:
    """The network and its way out. private_zones: names of the private DNS zones that resolve in it."""
    network = settings.network
    return Network(
        "main",
        NetworkArgs(
            site=site,
            address_space=network.address_space,
            subnets=network.subnets.purposes(),
            pods=network.pods,
            egress=_egress(settings),
            service_endpoints=network.service_endpoints,
            private_zones=private_zones,
        ),
    )


def _egress(settings: Settings) -> NatArgs | FirewallArgs | None:
    network = settings.network
    if network.egress == "firewall":
        allowed = {name: AllowedArgs(**each.model_dump()) for name, each in network.allowed_hosts.items()}
        return FirewallArgs(tier=network.firewall_tier, allowed=allowed, zones=settings.cluster.zones)
    return NatArgs() if network.egress == "nat" else None
