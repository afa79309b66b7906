"""NAT gateway: subnets call the internet from one fixed address, whatever they call.

Leaves out: more than one address.
"""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
from pulumi_azure_native import network

from components.common import Site
from components.public_address import public_address


@dataclass(frozen=True, kw_only=True)
class NatArgs:
    """A NAT gateway: everything may be called. idle_minutes: after which a silent connection is cut, 4 to 120."""

    idle_minutes: int = 4

    def __post_init__(self) -> None:
        if not 4 <= self.idle_minutes <= 120:
            raise ValueError(f"idle_minutes: {self.idle_minutes} is not allowed; allowed are 4 to 120.")


def nat_gateway(
    name: str, args: NatArgs, site: Site, opts: pulumi.ResourceOptions
) -> tuple[network.NatGateway, network.PublicIPAddress]:
    """A NAT gateway and its address."""
    address = public_address(f"{name}-nat", (), site, opts)
    made = network.NatGateway(
        name,
        nat_gateway_name=site.name("ng", name),
        resource_group_name=site.resource_group,
        location=site.location,
        sku=network.NatGatewaySkuArgs(name="Standard"),
        idle_timeout_in_minutes=args.idle_minutes,
        public_ip_addresses=[network.SubResourceArgs(id=address.id)],
        tags=site.tags,
        opts=opts,
    )
    return made, address
