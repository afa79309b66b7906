"""Security group: the rules of a subnet's purpose as Azure wants them, and a denial of whatever else comes in."""

from __future__ import annotations

from collections.abc import Mapping

import pulumi
from pulumi_azure_native import network

from components.common import Site
from components.subnets import DEPLOYERS, PODS, PURPOSES, Rule

_FIRST, _STEP, _LAST = 100, 10, 4096
_PUBLIC = Rule(name="internet", peers=("Internet",), ports=("443",), why="Calls from the internet.")


def security_group(
    name: str, purpose: str, blocks: Mapping[str, str], site: Site, opts: pulumi.ResourceOptions, *, public: bool
) -> network.NetworkSecurityGroup:
    """The group of a purpose. blocks: address block by purpose, of PODS and DEPLOYERS. public: the internet calls."""
    return network.NetworkSecurityGroup(
        name,
        network_security_group_name=site.name("nsg", purpose),
        resource_group_name=site.resource_group,
        location=site.location,
        security_rules=security_rules(purpose, blocks, public=public),
        tags=site.tags,
        opts=opts,
    )


def security_rules(purpose: str, blocks: Mapping[str, str], *, public: bool = False) -> list[network.SecurityRuleArgs]:
    """A purpose's rules in the order of their priority; the last one denies whatever else comes in."""
    named = {*PURPOSES, PODS, DEPLOYERS}
    made = []
    for index, rule in enumerate((*PURPOSES[purpose].rules, *((_PUBLIC,) if public else ()))):
        peers = [blocks.get(each) if each in named else each for each in rule.peers]
        if known := [each for each in peers if each]:
            made.append(_rule(rule, known, _FIRST + _STEP * index))
    denied = Rule(name="deny-inbound", peers=("*",), ports=("*",), protocol="*", access="Deny", why="Nothing else.")
    return [*made, _rule(denied, ["*"], _LAST)]


def _rule(rule: Rule, peers: list[str], priority: int) -> network.SecurityRuleArgs:
    inbound = rule.direction == "Inbound"
    one, several = (peers[0], None) if len(peers) == 1 else (None, peers)
    return network.SecurityRuleArgs(
        name=rule.name,
        description=rule.why,
        priority=priority,
        direction=rule.direction,
        access=rule.access,
        protocol=rule.protocol,
        source_port_range="*",
        source_address_prefix=one if inbound else "*",
        source_address_prefixes=several if inbound else None,
        destination_address_prefix="*" if inbound else one,
        destination_address_prefixes=None if inbound else several,
        destination_port_range=rule.ports[0] if len(rule.ports) == 1 else None,
        destination_port_ranges=list(rule.ports) if len(rule.ports) > 1 else None,
    )
