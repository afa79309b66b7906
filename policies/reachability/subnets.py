"""Subnets: their addresses, what their security groups let through, and where their routes lead."""

from __future__ import annotations

import fnmatch
import ipaddress
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from policies.reachability.plan import Plan, Resource, at, same_id

Block = ipaddress.IPv4Network
INTERNET = "Internet"
"""Any address of the internet, as Azure's service tag calls it."""
Peer = Block | str


@dataclass(frozen=True)
class Subnet:
    """A subnet of a virtual network, declared inline or by itself."""

    id: str
    name: str
    block: Block
    declared: Mapping[str, Any]
    spaces: tuple[Block, ...]


def subnets(plan: Plan) -> list[Subnet]:
    """Every subnet of a stack."""
    found = []
    for network in plan.of("network:VirtualNetwork"):
        spaces = tuple(map(ipaddress.IPv4Network, at(network.inputs, "addressSpace.addressPrefixes") or ()))
        own = [(f"{network.id}/subnets/{each.get('name')}", each) for each in network.inputs.get("subnets") or ()]
        own += [(each.id, each.inputs) for each in plan.of("network:Subnet") if network.id in each.id]
        for id_, said in own:
            prefix = said.get("addressPrefix") or (said.get("addressPrefixes") or [None])[0]
            if prefix:
                name = id_.rsplit("/", 1)[1]
                found.append(Subnet(id_, name, ipaddress.IPv4Network(prefix), said, spaces))
    return found


def lets_through(plan: Plan, subnet: Subnet, direction: str, peer: Peer, port: int) -> bool:
    """Whether a subnet's security group lets TCP from (Inbound) or to (Outbound) a peer pass; without a group: yes.

    Rules in the order of their priority, then Azure's default rules
    (learn.microsoft.com/azure/virtual-network/network-security-groups-overview).
    """
    group = plan.at(at(subnet.declared, "networkSecurityGroup.id"))
    if group is None:
        return True
    side = "source" if direction == "Inbound" else "destination"
    rules = [each for each in _rules(plan, group) if each.get("direction") == direction]
    for rule in sorted(rules, key=lambda each: each.get("priority", 0)):
        fits = rule.get("protocol") in ("*", "Tcp") and _port_in(rule, port)
        if fits and any(_covers(each, peer, subnet) for each in _both(rule, f"{side}AddressPrefix", "es")):
            return rule.get("access") == "Allow"
    inside = _covers("VirtualNetwork", peer, subnet)
    return inside or (direction == "Outbound" and peer == INTERNET)


def _rules(plan: Plan, group: Resource) -> Iterator[Mapping[str, Any]]:
    yield from group.inputs.get("securityRules") or ()
    yield from (each.inputs for each in plan.of("network:SecurityRule") if group.id in each.id)


def _both(rule: Mapping[str, Any], one: str, plural: str) -> list[str]:
    return [each for each in (rule.get(one), *(rule.get(one + plural) or ())) if each]


def _port_in(rule: Mapping[str, Any], port: int) -> bool:
    for each in _both(rule, "destinationPortRange", "s"):
        first, _, last = each.partition("-")
        if each == "*" or int(first) <= port <= int(last or first):
            return True
    return False


def _covers(prefix: str, peer: Peer, subnet: Subnet) -> bool:
    if prefix == "*":
        return True
    if isinstance(peer, str):
        return prefix in (peer, "0.0.0.0/0")
    if prefix == "VirtualNetwork":
        return any(peer.subnet_of(each) for each in subnet.spaces)
    try:
        return peer.subnet_of(ipaddress.IPv4Network(prefix))
    except ValueError:  # a service tag, which no subnet of ours is part of
        return False


def calls(plan: Plan, subnet: Subnet, host: str | None) -> bool:
    """Whether a subnet can call a host of the internet by HTTPS (None: any host there is).

    Behind a default route to an appliance only the hosts that Azure Firewall's application rules list for it.
    """
    if not lets_through(plan, subnet, "Outbound", INTERNET, 443):
        return False
    table = plan.at(at(subnet.declared, "routeTable.id"))
    routes = table.inputs.get("routes") or () if table else ()
    default = next((each for each in routes if each.get("addressPrefix") == "0.0.0.0/0"), None)
    if default is None or default.get("nextHopType") == "Internet":
        return True
    return default.get("nextHopType") == "VirtualAppliance" and _firewall_allows(plan, subnet, host)


def hosts(plan: Plan, subnet: Subnet) -> list[str]:
    """Hosts that Azure Firewall lets a subnet call."""
    return [each for rule in _application_rules(plan, subnet) for each in rule.get("targetFqdns") or ()]


def _firewall_allows(plan: Plan, subnet: Subnet, host: str | None) -> bool:
    wanted = host or "*"
    return any(each == "*" or fnmatch.fnmatch(wanted, each) for each in hosts(plan, subnet) if host or each == "*")


def _application_rules(plan: Plan, subnet: Subnet) -> Iterator[Mapping[str, Any]]:
    for group in plan.of("network:FirewallPolicyRuleCollectionGroup"):
        for collection in group.inputs.get("ruleCollections") or ():
            if at(collection, "action.type") == "Allow":
                yield from (each for each in collection.get("rules") or () if _is_source(each, subnet))


def _is_source(rule: Mapping[str, Any], subnet: Subnet) -> bool:
    sources: Sequence[str] = rule.get("sourceAddresses") or ()
    return any(each == "*" or subnet.block.subnet_of(ipaddress.IPv4Network(each)) for each in sources)


def subnet_at(all_subnets: Sequence[Subnet], resource_id: Any) -> Subnet | None:
    """The subnet of an id."""
    return next((each for each in all_subnets if same_id(each.id, resource_id)), None)
