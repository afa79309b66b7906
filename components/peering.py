"""Peering: joins two virtual networks, in both directions, and lets one resolve the other's private names.

Leaves out: gateways, and networks of other tenants.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
from pulumi_azure_native import network, privatedns

from components.common import Site


@dataclass(frozen=True, kw_only=True)
class PeeringArgs:
    """What a peering needs to know.

    site: of the network that is there already. network_id: its resource id. other_id: resource id of the network that
    it reaches. zone_ids: private DNS zones of the other one, whose names are to be known here.
    """

    site: Site
    network_id: pulumi.Input[str]
    other_id: str
    zone_ids: Sequence[str] = ()


def peer(name: str, args: PeeringArgs, opts: pulumi.ResourceOptions) -> None:
    """Joins the networks. Traffic flows once both directions are there."""
    here = pulumi.Output.from_input(args.network_id)
    _direction(f"{name}-there", here.apply(_last), args.site.resource_group, args.other_id, opts)
    _direction(f"{name}-back", _last(args.other_id), _part(args.other_id, "resourceGroups"), here, opts)
    for zone in args.zone_ids:
        privatedns.VirtualNetworkLink(
            f"{name}-{_last(zone)}",
            virtual_network_link_name=args.site.name("link", name),
            private_zone_name=_last(zone),
            resource_group_name=_part(zone, "resourceGroups"),
            location="global",
            registration_enabled=False,
            virtual_network=privatedns.SubResourceArgs(id=here),
            tags=args.site.tags,
            opts=opts,
        )


def _direction(
    name: str,
    network_name: pulumi.Input[str],
    resource_group: pulumi.Input[str],
    target: pulumi.Input[str],
    opts: pulumi.ResourceOptions,
) -> None:
    network.VirtualNetworkPeering(
        name,
        virtual_network_peering_name=name,
        virtual_network_name=network_name,
        resource_group_name=resource_group,
        remote_virtual_network=network.SubResourceArgs(id=target),
        allow_virtual_network_access=True,
        allow_forwarded_traffic=False,
        allow_gateway_transit=False,
        use_remote_gateways=False,
        opts=opts,
    )


def _last(resource_id: str) -> str:
    return resource_id.rsplit("/", 1)[-1]


def _part(resource_id: str, kind: str) -> str:
    """The name that follows a kind in a resource id. Raises ValueError when there is none."""
    words = resource_id.split("/")
    return words[[each.lower() for each in words].index(kind.lower()) + 1]
