"""Firewall: subnets call listed hosts of the internet, and nothing else.

Leaves out: TLS inspection, more than one address, forced tunnelling on premises.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import pulumi
from pulumi_azure_native import network

from components.common import Site, diagnose
from components.public_address import public_address


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


def firewall(
    name: str,
    args: FirewallArgs,
    blocks: Mapping[str, str],
    subnet_id: pulumi.Input[str],
    site: Site,
    opts: pulumi.ResourceOptions,
) -> tuple[network.AzureFirewall, network.FirewallPolicyRuleCollectionGroup, network.PublicIPAddress]:
    """A firewall and its rules: both must be there before anything behind it can call; and the address it calls from.

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
    address = public_address(f"{name}-firewall", args.zones, site, opts)
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
    return made, rules, address


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
