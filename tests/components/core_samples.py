"""The platform's core blocks, each with everything it can do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from components.common import Site
from components.egress import AllowedArgs, FirewallArgs
from components.network import Network, NetworkArgs
from tests.components.site import SITE

SUBNETS = {
    "cluster": "10.0.0.0/20",
    "private-endpoints": "10.0.16.0/24",
    "gateway": "10.0.17.0/24",
    "edge": "10.0.18.0/24",
    "web": "10.0.19.0/26",
    "functions": "10.0.19.64/26",
    "api-server": "10.0.20.0/27",
    "runner": "10.0.20.32/27",
    "firewall": "10.0.20.64/26",
}
WALL = FirewallArgs(
    tier="Premium",
    zones=["1", "2", "3"],
    allowed={
        "banks": AllowedArgs(sources=["cluster"], hosts=["api.bank.example", "*.bank.example"]),
        "nodes": AllowedArgs(sources=["cluster"], tags=["AzureKubernetesService"]),
    },
)


def network_args(site: Site = SITE, **changes: Any) -> NetworkArgs:
    everything: dict[str, Any] = {
        "site": site,
        "address_space": "10.0.0.0/16",
        "subnets": SUBNETS,
        "pods": "10.244.0.0/16",
        "egress": WALL,
        "private_zones": ["privatelink.database.windows.net"],
    }
    return NetworkArgs(**everything | changes)


CORE: dict[str, Callable[[Site], Any]] = {
    "network": lambda site: Network("main", network_args(site)),
}
"""A function a block, that makes it at a site."""
