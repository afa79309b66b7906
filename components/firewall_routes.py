"""Firewall routes: lead what leaves a subnet to the network's firewall."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence

import pulumi
from pulumi_azure_native import network

from components.common import Site


def firewall_routes(name: str, block: str, site: Site, opts: pulumi.ResourceOptions) -> network.RouteTable:
    """Routes that lead to the firewall. block: of the firewall's subnet.

    The subnets name their routes, the firewall its subnet, and all subnets are made in one request: so the firewall's
    address is derived, and checked once it is there.
    """
    return network.RouteTable(
        name,
        route_table_name=site.name("rt", name),
        resource_group_name=site.resource_group,
        location=site.location,
        disable_bgp_route_propagation=True,
        routes=[
            network.RouteArgs(
                name="firewall",
                address_prefix="0.0.0.0/0",
                next_hop_type="VirtualAppliance",
                next_hop_ip_address=derived_address(block),
            )
        ],
        tags=site.tags,
        opts=opts,
    )


def derived_address(block: str) -> str:
    """Where a firewall answers: the first address of its subnet that Azure does not keep (the fifth)."""
    return str(ipaddress.IPv4Network(block)[4])


def checked_address(made: network.AzureFirewall, block: str) -> pulumi.Output[str]:
    """The firewall's address. Raises RuntimeError where Azure chose another one than the routes lead to."""
    expected = derived_address(block)

    def check(configurations: Sequence[network.outputs.AzureFirewallIPConfigurationResponse] | None) -> str:
        told = [each.private_ip_address for each in configurations or ()]
        if told and told[0] not in (None, expected):
            raise RuntimeError(
                f"The firewall answers at {told[0]}, but routes lead to {expected}. "
                "Delete the firewall and run again: its subnet must be empty when it is made."
            )
        return expected

    return made.ip_configurations.apply(check)
