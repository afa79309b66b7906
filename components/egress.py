"""Egress: how subnets reach the internet: by a NAT gateway's fixed address, or through a firewall that knows hosts.

Leaves out: TLS inspection, more than one address, forced tunnelling on premises.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import pulumi
from pulumi_azure_native import network

from components.common import Site, diagnose


@dataclass(frozen=True, kw_only=True)
class NatArgs:
    """A NAT gateway: everything may be called. idle_minutes: after which a silent connection is cut, 4 to 120."""

    idle_minutes: int = 4

    def __post_init__(self) -> None:
        if not 4 <= self.idle_minutes <= 120:
            raise ValueError(f"idle_minutes: {self.idle_minutes} is not allowed; allowed are 4 to 120.")


@dataclass(frozen=True, kw_only=True)
class AllowedArgs:
    """Hosts that may be called, by HTTPS on port 443.

    sources: purposes of the subnets that may. hosts: fully qualified names, "*." for any label before. tags: Azure's
    FQDN tags, e.g. "AzureKubernetesService" (learn.microsoft.com/azure/firewall/fqdn-tags).
    """

    sources: Sequence[str]
    hosts: Sequence[str] = ()
    tags: Sequence[str] = ()

    def __post_init__(self) -> None:
        if not self.sources:
            raise ValueError("sources: there are none. Name at least one subnet's purpose.")
        # Of one application rule Azure takes either: learn.microsoft.com/azure/firewall/rule-processing.
        if bool(self.hosts) == bool(self.tags):
            raise ValueError("hosts, tags: give one of them, and only one.")
        if wild := [each for each in self.hosts if each.removeprefix("*.").strip(".*") == "" or "*" in each[1:]]:
            raise ValueError(
                f"hosts: {wild} are not allowed; allowed are names such as api.bank.example, *.example.com."
            )


@dataclass(frozen=True, kw_only=True)
class FirewallArgs:
    """An Azure Firewall: nothing may be called but what is listed. tier: "Premium" also stops known attacks.

    allowed: by name. zones: "1" to "3".
    """

    tier: Literal["Standard", "Premium"]
    allowed: Mapping[str, AllowedArgs]
    zones: Sequence[str] = ()


def nat_gateway(name: str, args: NatArgs, site: Site, opts: pulumi.ResourceOptions) -> network.NatGateway:
    """A NAT gateway and its address."""
    address = _address(f"{name}-nat", (), site, opts)
    return network.NatGateway(
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


def firewall(
    name: str,
    args: FirewallArgs,
    blocks: Mapping[str, str],
    subnet_id: pulumi.Input[str],
    site: Site,
    opts: pulumi.ResourceOptions,
) -> tuple[network.AzureFirewall, network.FirewallPolicyRuleCollectionGroup]:
    """A firewall and its rules: both must be there before anything behind it can call.

    blocks: address block by purpose. subnet_id: of the subnet AzureFirewallSubnet.
    """
    policy = network.FirewallPolicy(
        name,
        firewall_policy_name=site.name("afwp", name),
        resource_group_name=site.resource_group,
        location=site.location,
        sku=network.FirewallPolicySkuArgs(tier=args.tier),
        threat_intel_mode="Deny",
        intrusion_detection=network.FirewallPolicyIntrusionDetectionArgs(mode="Deny")
        if args.tier == "Premium"
        else None,
        tags=site.tags,
        opts=opts,
    )
    rules = _rules(name, args, blocks, policy, site, opts)
    address = _address(f"{name}-firewall", args.zones, site, opts)
    made = network.AzureFirewall(
        name,
        azure_firewall_name=site.name("afw", name),
        resource_group_name=site.resource_group,
        location=site.location,
        sku=network.AzureFirewallSkuArgs(name="AZFW_VNet", tier=args.tier),
        firewall_policy=network.SubResourceArgs(id=policy.id),
        ip_configurations=[
            network.AzureFirewallIPConfigurationArgs(
                name="main",
                subnet=network.SubResourceArgs(id=subnet_id),
                public_ip_address=network.SubResourceArgs(id=address.id),
            )
        ],
        zones=list(args.zones) or None,
        tags=site.tags,
        # One change at a time: Azure refuses to change a policy while a firewall that uses it is being made.
        opts=pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(depends_on=[rules])),
    )
    diagnose(f"{name}-firewall", made, site, opts, logs=["AZFWApplicationRule", "AZFWNetworkRule", "AZFWThreatIntel"])
    return made, rules


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


def _rules(
    name: str,
    args: FirewallArgs,
    blocks: Mapping[str, str],
    policy: network.FirewallPolicy,
    site: Site,
    opts: pulumi.ResourceOptions,
) -> network.FirewallPolicyRuleCollectionGroup:
    return network.FirewallPolicyRuleCollectionGroup(
        name,
        rule_collection_group_name="allowed",
        firewall_policy_name=policy.name,
        resource_group_name=site.resource_group,
        priority=1000,
        rule_collections=[
            network.FirewallPolicyFilterRuleCollectionArgs(
                rule_collection_type="FirewallPolicyFilterRuleCollection",
                name="hosts",
                priority=1000,
                action=network.FirewallPolicyFilterRuleCollectionActionArgs(type="Allow"),
                rules=[
                    network.ApplicationRuleArgs(
                        rule_type="ApplicationRule",
                        name=label,
                        source_addresses=[blocks[source] for source in allowed.sources],
                        protocols=[network.FirewallPolicyRuleApplicationProtocolArgs(protocol_type="Https", port=443)],
                        target_fqdns=list(allowed.hosts) or None,
                        fqdn_tags=list(allowed.tags) or None,
                    )
                    for label, allowed in args.allowed.items()
                ],
            )
        ],
        opts=opts,
    )


def _address(name: str, zones: Sequence[str], site: Site, opts: pulumi.ResourceOptions) -> network.PublicIPAddress:
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
