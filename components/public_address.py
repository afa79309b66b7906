"""Public address: an IPv4 address of the internet, for what calls or is called from there."""

from __future__ import annotations

from collections.abc import Sequence

import pulumi
from pulumi_azure_native import network

from components.common import Site


def public_address(
    name: str, zones: Sequence[str], site: Site, opts: pulumi.ResourceOptions
) -> network.PublicIPAddress:
    """A static address. zones: "1" to "3"."""
    return network.PublicIPAddress(
        name,
        public_ip_address_name=site.name("pip", name),
        resource_group_name=site.resource_group,
        location=site.location,
        sku=network.PublicIPAddressSkuArgs(name="Standard", tier="Regional"),
        public_ip_allocation_method="Static",
        public_ip_address_version="IPv4",
        zones=list(zones) or None,
        tags=site.tags,
        opts=opts,
    )
