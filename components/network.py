"""Network: a virtual network with a subnet a purpose and a security group each, a way out, and private DNS zones.

Leaves out: peering, hubs, flow logs (they need an account and a watcher outside the stack), DDoS protection plans.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi_azure_native import network, privatedns

from components.common import Site, diagnose
from components.firewall import FirewallArgs, firewall
from components.firewall_routes import checked_address, firewall_routes
from components.nat_gateway import NatArgs, nat_gateway
from components.security_group import security_group
from components.subnets import DEPLOYERS, PODS, PURPOSES, subnet_name


@dataclass(frozen=True, kw_only=True)
class NetworkArgs:
    """What a network needs to know.

    site: resource group, region, tags and workspace that every block shares.
    address_space: CIDR block of the whole network, e.g. "10.20.0.0/16".
    subnets: CIDR block by purpose, see subnets.PURPOSES. pods: the cluster's overlay network, where there is a cluster.
    egress: how the subnets of services leave; None leaves that to each service.
    service_endpoints: lets them reach vaults and storage past egress; where those have private endpoints, a hole.
    public: purposes that the internet may call by HTTPS, beside those that are made for it.
    deployers: CIDR block of a peered network that deployments come from.
    private_zones: private DNS zones that resolve in it, e.g. "privatelink.database.windows.net".
    """

    site: Site
    address_space: str
    subnets: Mapping[str, str]
    pods: str | None = None
    egress: NatArgs | FirewallArgs | None = None
    service_endpoints: bool = False
    public: Collection[str] = ()
    deployers: str | None = None
    private_zones: Sequence[str] = ()

    def __post_init__(self) -> None:
        space = ipaddress.IPv4Network(self.address_space)
        taken: dict[str, ipaddress.IPv4Network] = {}
        for purpose, given in self.subnets.items():
            if purpose not in PURPOSES:
                raise ValueError(f"subnets: {purpose!r} is no purpose; allowed are {', '.join(PURPOSES)}.")
            block, longest = ipaddress.IPv4Network(given), PURPOSES[purpose].longest_prefix
            if block.prefixlen > longest:
                raise ValueError(f"subnets: {purpose} ({block}) is too small; allowed is /{longest} or larger.")
            if not block.subnet_of(space):
                raise ValueError(f"subnets: {purpose} ({block}) is outside the address space {space}.")
            for other, each in taken.items():
                if block.overlaps(each):
                    raise ValueError(f"subnets: {purpose} ({block}) overlaps {other} ({each}).")
            taken[purpose] = block
        if "cluster" in self.subnets and self.pods is None:
            raise ValueError("pods: is missing; the cluster's security group would cut its pods off. Give their block.")
        if self.deployers and ipaddress.IPv4Network(self.deployers).overlaps(space):
            raise ValueError(f"deployers: {self.deployers} overlaps {space}, so the two networks can't be peered.")
        if missing := sorted(set(self.public) - set(self.subnets)):
            raise ValueError(f"public: there is no subnet for {missing}. Add it, or leave it out.")
        if isinstance(self.egress, FirewallArgs):
            needed = {"firewall", *(source for each in self.egress.allowed.values() for source in each.sources)}
            if missing := sorted(needed - set(self.subnets)):
                raise ValueError(f"egress: there is no subnet for {missing}. Add it, or leave it out of the rules.")


class Network(pulumi.ComponentResource):
    """A virtual network whose subnets let nothing in but what their purpose asks for."""

    network_id: pulumi.Output[str]
    """Resource id of the virtual network."""
    subnet_ids: Mapping[str, pulumi.Output[str]]
    """Resource id of each subnet, by its purpose."""
    zone_ids: Mapping[str, pulumi.Output[str]]
    """Resource id of each private DNS zone, by its name."""
    way_out: Sequence[pulumi.Resource]
    """What must be there before a machine in a subnet can call the internet."""
    addresses: Sequence[pulumi.Output[str]]
    """Public IPv4 addresses that machines in a subnet call the internet from, where egress says."""

    def __init__(self, name: str, args: NetworkArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("tributary:azure:Network", name, {}, opts)
        child = pulumi.ResourceOptions(parent=self)
        site, egress = args.site, args.egress

        nat, address = nat_gateway(name, egress, site, child) if isinstance(egress, NatArgs) else (None, None)
        walled = isinstance(egress, FirewallArgs)
        routes = firewall_routes(name, args.subnets["firewall"], site, child) if walled else None
        # Inline, and only so: beside subnets of their own Azure shows them twice, and each side undoes the other's
        # (pulumi-azure-native#611). One request also avoids "another operation in progress".
        vnet = network.VirtualNetwork(
            name,
            virtual_network_name=site.name("vnet", name),
            resource_group_name=site.resource_group,
            location=site.location,
            address_space=network.AddressSpaceArgs(address_prefixes=[args.address_space]),
            subnets=[self._subnet(name, purpose, args, nat, routes) for purpose in args.subnets],
            tags=site.tags,
            opts=child,
        )
        diagnose(f"{name}-vnet", vnet, site, child, logs=["VMProtectionAlerts"])
        self.network_id = vnet.id
        self.subnet_ids = {
            purpose: pulumi.Output.concat(vnet.id, "/subnets/", subnet_name(purpose)) for purpose in args.subnets
        }
        self.zone_ids = {zone: self._zone(f"{name}-{zone}", zone, vnet, site) for zone in args.private_zones}
        outputs: dict[str, Any] = {"subnet_ids": self.subnet_ids, "zone_ids": self.zone_ids}
        self.way_out = [nat] if nat else []
        if isinstance(egress, FirewallArgs):
            wall, rules, address = firewall(name, egress, args.subnets, self.subnet_ids["firewall"], site, child)
            self.way_out = [wall, rules]
            outputs["firewall_address"] = checked_address(wall, args.subnets["firewall"])
        self.addresses = [address.ip_address.apply(_given)] if address else []
        self.register_outputs(outputs)

    def _zone(self, name: str, zone: str, vnet: network.VirtualNetwork, site: Site) -> pulumi.Output[str]:
        child = pulumi.ResourceOptions(parent=self)
        made = privatedns.PrivateZone(
            name,
            private_zone_name=zone,
            resource_group_name=site.resource_group,
            location="global",
            tags=site.tags,
            opts=child,
        )
        privatedns.VirtualNetworkLink(
            name,
            virtual_network_link_name=site.name("link", "main"),
            private_zone_name=made.name,
            resource_group_name=site.resource_group,
            location="global",
            registration_enabled=False,
            virtual_network=privatedns.SubResourceArgs(id=vnet.id),
            tags=site.tags,
            opts=child,
        )
        return made.id

    def _subnet(
        self,
        name: str,
        purpose: str,
        args: NetworkArgs,
        nat: network.NatGateway | None,
        routes: network.RouteTable | None,
    ) -> network.SubnetArgs:
        site, kind = args.site, PURPOSES[purpose]
        beside = {PODS: args.pods, DEPLOYERS: args.deployers}
        blocks = {**args.subnets, **{peer: block for peer, block in beside.items() if block}}
        child = pulumi.ResourceOptions(parent=self)
        group = None
        if kind.guarded:
            public = purpose in args.public
            group = security_group(f"{name}-{purpose}", purpose, blocks, site, child, public=public)
        reaches = kind.reaches if args.service_endpoints else ()
        return network.SubnetArgs(
            name=subnet_name(purpose),
            address_prefix=args.subnets[purpose],
            network_security_group=network.NetworkSecurityGroupArgs(id=group.id) if group else None,
            nat_gateway=network.SubResourceArgs(id=nat.id) if nat and kind.way_out else None,
            route_table=network.RouteTableArgs(id=routes.id) if routes and kind.way_out else None,
            # Security groups count for private endpoints only so (learn.microsoft.com/azure/private-link/
            # disable-private-endpoint-network-policy).
            private_endpoint_network_policies="Enabled",
            delegations=[network.DelegationArgs(name="service", service_name=kind.delegation)]
            if kind.delegation
            else None,
            service_endpoints=[
                network.ServiceEndpointPropertiesFormatArgs(service=each, locations=[site.location]) for each in reaches
            ],
        )


def _given(address: str | None) -> str:
    if address is None:
        raise ValueError("Azure reports no address of a static public IP address. Look at its state.")
    return address
