"""Network: a virtual network with a subnet a purpose and a security group each.

Leaves out: egress through a fixed address or a firewall, peering.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
from pulumi_azure_native import network, privatedns

from components.common import Site, diagnose


@dataclass(frozen=True, kw_only=True)
class NetworkArgs:
    """What a network needs to know.

    site: resource group, region, tags and workspace that every block shares.
    address_space: CIDR block of the whole network, e.g. "10.20.0.0/16".
    cluster_subnet, endpoint_subnet: CIDR blocks of the cluster's nodes and of private endpoints.
    private_zones: private DNS zones that resolve in it, e.g. "privatelink.database.windows.net".
    """

    site: Site
    address_space: str
    cluster_subnet: str
    endpoint_subnet: str
    private_zones: Sequence[str] = ()


class Network(pulumi.ComponentResource):
    """A virtual network whose subnets nothing from the internet can enter."""

    cluster_subnet_id: pulumi.Output[str]
    """Subnet of the cluster's nodes; Key Vault and Storage recognise its traffic (service endpoints)."""
    endpoint_subnet_id: pulumi.Output[str]
    """Subnet of private endpoints."""
    zone_ids: Mapping[str, pulumi.Output[str]]
    """Resource id of each private DNS zone, by its name."""

    def __init__(self, name: str, args: NetworkArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("tributary:azure:Network", name, {}, opts)
        child = pulumi.ResourceOptions(parent=self)
        site = args.site

        # Inline, and only so: beside subnets of their own Azure shows them twice, and each side undoes the other's
        # (pulumi-azure-native#611). One request also avoids "another operation in progress".
        vnet = network.VirtualNetwork(
            name,
            virtual_network_name=site.name("vnet", name),
            resource_group_name=site.resource_group,
            location=site.location,
            address_space=network.AddressSpaceArgs(address_prefixes=[args.address_space]),
            subnets=[
                self._subnet(name, "cluster", args.cluster_subnet, site, ["Microsoft.KeyVault", "Microsoft.Storage"]),
                self._subnet(name, "endpoints", args.endpoint_subnet, site),
            ],
            tags=site.tags,
            opts=child,
        )
        diagnose(f"{name}-vnet", vnet, site, child)

        self.cluster_subnet_id = pulumi.Output.concat(vnet.id, "/subnets/snet-cluster")
        self.endpoint_subnet_id = pulumi.Output.concat(vnet.id, "/subnets/snet-endpoints")
        self.zone_ids = {zone: self._zone(f"{name}-{zone}", zone, vnet, site) for zone in args.private_zones}
        self.register_outputs(
            {"cluster_subnet_id": self.cluster_subnet_id, "endpoint_subnet_id": self.endpoint_subnet_id}
        )

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
        self, name: str, purpose: str, block: str, site: Site, service_endpoints: Sequence[str] = ()
    ) -> network.SubnetArgs:
        group = network.NetworkSecurityGroup(
            f"{name}-{purpose}",
            network_security_group_name=site.name("nsg", purpose),
            resource_group_name=site.resource_group,
            location=site.location,
            security_rules=[_deny_internet()],
            tags=site.tags,
            opts=pulumi.ResourceOptions(parent=self),
        )
        return network.SubnetArgs(
            name=f"snet-{purpose}",
            address_prefix=block,
            network_security_group=network.NetworkSecurityGroupArgs(id=group.id),
            private_endpoint_network_policies="Enabled",
            service_endpoints=[
                network.ServiceEndpointPropertiesFormatArgs(service=each, locations=[site.location])
                for each in service_endpoints
            ],
        )


def _deny_internet() -> network.SecurityRuleArgs:
    return network.SecurityRuleArgs(
        name="deny-internet-inbound",
        description="Nothing is reached from the internet; the default rules would leave that to the last one.",
        priority=4000,
        direction="Inbound",
        access="Deny",
        protocol="*",
        source_address_prefix="Internet",
        source_port_range="*",
        destination_address_prefix="*",
        destination_port_range="*",
    )
