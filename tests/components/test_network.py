"""A network lets in what a subnet's purpose asks for, and lets out what egress says."""

from __future__ import annotations

from ipaddress import IPv4Network
from typing import Any

import pytest

from components.firewall import AllowedArgs
from components.nat_gateway import NatArgs
from components.network import Network
from components.subnets import PODS, PURPOSES, subnet_name
from tests.components.core_samples import SUBNETS, WALL, network_args
from tests.components.mocks import Registered
from tests.components.samples import build


def made(**changes: Any) -> Registered:
    given: dict[str, Any] = {"egress": None} | changes
    return build(lambda: Network("main", network_args(**given)))


def subnets(registered: Registered) -> dict[str, dict[str, Any]]:
    return {each["name"]: each for each in registered.one(":VirtualNetwork").inputs["subnets"]}


def rules(registered: Registered, purpose: str) -> list[dict[str, Any]]:
    return registered.one(":NetworkSecurityGroup", f"main-{purpose}").inputs["securityRules"]


def lets_in(registered: Registered, purpose: str, source: str, port: int, protocol: str = "Tcp") -> bool:
    """Whether a packet comes in, by the rules in their order; Azure's own rules behind ours don't count."""
    for rule in sorted(rules(registered, purpose), key=lambda each: each["priority"]):
        sources = rule.get("sourceAddressPrefixes") or [rule["sourceAddressPrefix"]]
        ports = rule.get("destinationPortRanges") or [rule["destinationPortRange"]]
        if rule["direction"] != "Inbound" or rule["protocol"] not in ("*", protocol):
            continue
        if any(_covers(each, source) for each in sources) and any(_spans(each, port) for each in ports):
            return rule["access"] == "Allow"
    return False


def _covers(prefix: str, source: str) -> bool:
    if prefix in ("*", source):
        return True
    return "/" in prefix and "/" in source and IPv4Network(source).subnet_of(IPv4Network(prefix))


def _spans(ports: str, port: int) -> bool:
    low, _, high = ports.partition("-")
    return ports == "*" or int(low) <= port <= int(high or low)


def test_only_the_edge_is_entered_from_the_internet_and_only_by_https() -> None:
    registered = made()
    for purpose in SUBNETS.keys() - {"firewall"}:
        assert lets_in(registered, purpose, "Internet", 443) is (purpose == "edge")
        assert not lets_in(registered, purpose, "Internet", 80)
        assert not lets_in(registered, purpose, "Internet", 22)


def test_a_gateway_that_is_to_be_public_is_entered_from_the_internet_by_https_alone() -> None:
    registered = made(public=["gateway"])
    for purpose in SUBNETS.keys() - {"firewall"}:
        assert lets_in(registered, purpose, "Internet", 443) is (purpose in ("edge", "gateway"))
    assert not lets_in(registered, "gateway", "Internet", 80)
    assert not lets_in(registered, "gateway", "Internet", 3443)


@pytest.mark.parametrize(
    ("source", "purpose", "port"),
    [
        ("ApiManagement", "gateway", 3443),
        ("AzureLoadBalancer", "gateway", 6390),
        ("GatewayManager", "edge", 65200),
        ("AzureLoadBalancer", "api-server", 9988),
        ("AzureLoadBalancer", "cluster", 10256),
        (SUBNETS["edge"], "gateway", 443),
        (SUBNETS["gateway"], "cluster", 443),
        (SUBNETS["cluster"], "api-server", 4443),
        (SUBNETS["api-server"], "cluster", 10250),
        (SUBNETS["runner"], "api-server", 443),
        ("10.244.3.0/24", "cluster", 8080),
        (SUBNETS["cluster"], "cluster", 8080),
        (SUBNETS["cluster"], "private-endpoints", 1433),
        (SUBNETS["functions"], "private-endpoints", 5671),
    ],
)
def test_what_a_service_needs_comes_in(source: str, purpose: str, port: int) -> None:
    assert lets_in(made(), purpose, source, port)


@pytest.mark.parametrize(
    ("source", "purpose", "port"),
    [
        (SUBNETS["edge"], "private-endpoints", 1434),
        (SUBNETS["web"], "cluster", 443),
        (SUBNETS["functions"], "cluster", 8080),
        (SUBNETS["cluster"], "runner", 22),
        (SUBNETS["web"], "api-server", 443),
        (SUBNETS["cluster"], "web", 443),
        ("10.0.99.0/24", "cluster", 443),
        ("10.0.99.0/24", "private-endpoints", 443),
    ],
)
def test_the_rest_of_the_network_is_denied(source: str, purpose: str, port: int) -> None:
    assert not lets_in(made(), purpose, source, port)


@pytest.mark.parametrize(("purpose", "port"), [("api-server", 443), ("private-endpoints", 443), ("gateway", 443)])
def test_deployments_come_in_from_a_peered_network_that_is_named_alone(purpose: str, port: int) -> None:
    runner, neighbour = "10.10.0.0/26", "10.11.0.0/26"
    registered = made(deployers="10.10.0.0/24")
    assert lets_in(registered, purpose, runner, port)
    assert not lets_in(registered, purpose, neighbour, port)
    assert not lets_in(made(), purpose, runner, port)
    assert not lets_in(registered, "cluster", runner, port)


def test_gateways_and_endpoints_call_nothing_but_what_is_listed() -> None:
    registered = made()
    for purpose in ("gateway", "private-endpoints"):
        last = max((r for r in rules(registered, purpose) if r["direction"] == "Outbound"), key=lambda r: r["priority"])
        assert (last["access"], last["destinationAddressPrefix"], last["protocol"]) == ("Deny", "*", "*")


def test_priorities_of_a_group_are_distinct_and_descriptions_fit() -> None:
    registered = made()
    for group in registered.of(":NetworkSecurityGroup"):
        given = group.inputs["securityRules"]
        assert len({(r["priority"], r["direction"]) for r in given}) == len(given) == len({r["name"] for r in given})
        assert all(100 <= r["priority"] <= 4096 and len(r["description"]) <= 140 for r in given)


def test_subnets_are_part_of_their_network_and_have_a_group_each() -> None:
    registered = made()
    assert registered.of(":Subnet") == []
    for purpose in SUBNETS:
        group = subnets(registered)[subnet_name(purpose)].get("networkSecurityGroup")
        expected = None if purpose == "firewall" else {"id": f"/id/of/NetworkSecurityGroup/main-{purpose}"}
        assert group == expected


def test_services_that_bring_their_own_machines_get_the_subnet_delegated() -> None:
    named = {
        name: each["delegations"][0]["serviceName"] for name, each in subnets(made()).items() if each.get("delegations")
    }
    assert named == {
        "snet-api-server": "Microsoft.ContainerService/managedClusters",
        "snet-functions": "Microsoft.App/environments",
        "snet-web": "Microsoft.Web/serverFarms",
    }


def test_a_nat_gateway_is_the_way_out_of_services_alone() -> None:
    registered = made(egress=NatArgs())
    out = {name for name, each in subnets(registered).items() if each.get("natGateway")}
    assert out == {subnet_name(purpose) for purpose, kind in PURPOSES.items() if kind.way_out}
    assert registered.of(":RouteTable") == []


def test_behind_a_firewall_everything_is_routed_through_it() -> None:
    registered = made(egress=WALL)
    (route,) = registered.one(":RouteTable").inputs["routes"]
    assert (route["addressPrefix"], route["nextHopType"]) == ("0.0.0.0/0", "VirtualAppliance")
    assert route["nextHopIpAddress"] == "10.0.20.68"
    behind = {name for name, each in subnets(registered).items() if each.get("routeTable")}
    # A default route to an appliance is not supported for an Application Gateway, and breaks API Management.
    assert behind == {"snet-cluster", "snet-web", "snet-functions", "snet-runner"}
    assert not any(each.get("natGateway") for each in subnets(registered).values())


def test_the_firewall_lets_listed_hosts_through_and_denies_known_attackers() -> None:
    registered = made(egress=WALL)
    policy = registered.one(":FirewallPolicy").inputs
    assert policy["threatIntelMode"] == policy["intrusionDetection"]["mode"] == "Deny"
    (collection,) = registered.one(":FirewallPolicyRuleCollectionGroup").inputs["ruleCollections"]
    assert collection["action"] == {"type": "Allow"}
    banks, nodes = collection["rules"]
    assert banks["targetFqdns"] == ["api.bank.example", "*.bank.example"]
    assert banks["sourceAddresses"] == [SUBNETS["cluster"]]
    assert banks["protocols"] == [{"protocolType": "Https", "port": 443}]
    assert nodes["fqdnTags"] == ["AzureKubernetesService"]
    wall = registered.one(":AzureFirewall")
    assert wall.inputs["zones"] == ["1", "2", "3"]
    assert registered.one(":FirewallPolicyRuleCollectionGroup").urn in wall.after


def test_service_endpoints_are_there_only_where_they_are_asked_for() -> None:
    def reached(wanted: bool) -> set[str]:
        given = subnets(made(service_endpoints=wanted))
        return {name for name, each in given.items() if each.get("serviceEndpoints")}

    assert reached(False) == set()
    assert reached(True) == {"snet-cluster", "snet-web", "snet-runner"}
    assert PURPOSES["functions"].delegation, "Flex Consumption takes no subnet with service endpoints"


BAD: list[tuple[dict[str, Any], str]] = [
    ({"subnets": {"kitchen": "10.0.0.0/24"}}, "'kitchen' is no purpose; allowed are cluster, "),
    ({"subnets": {"firewall": "10.0.0.0/27"}}, r"firewall \(10.0.0.0/27\) is too small; allowed is /26"),
    ({"subnets": {"web": "10.9.0.0/24"}}, r"web \(10.9.0.0/24\) is outside the address space 10.0.0.0/16"),
    ({"subnets": {"web": "10.0.0.0/24", "edge": "10.0.0.0/25"}}, r"edge \(10.0.0.0/25\) overlaps web"),
    ({"pods": None}, "pods: is missing"),
    ({"deployers": "10.0.99.0/24"}, "deployers: 10.0.99.0/24 overlaps 10.0.0.0/16, so the two networks"),
    ({"public": ["elsewhere"]}, r"public: there is no subnet for \['elsewhere'\]"),
    ({"subnets": {"web": "10.0.0.0/24"}, "egress": WALL}, r"no subnet for \['cluster', 'firewall'\]"),
]


@pytest.mark.parametrize(("changes", "message"), BAD, ids=[each[1][:20] for each in BAD])
def test_a_network_that_cannot_work_is_refused_before_anything_is_registered(
    changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        network_args(**changes)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"sources": []}, "sources: there are none"),
        ({"sources": ["cluster"]}, "give one of them, and only one"),
        ({"sources": ["cluster"], "hosts": ["a.example"], "tags": ["T"]}, "give one of them, and only one"),
        ({"sources": ["cluster"], "hosts": ["*"]}, "allowed are names such as"),
        ({"sources": ["cluster"], "hosts": ["a.*.example"]}, "allowed are names such as"),
    ],
)
def test_a_rule_of_the_firewall_names_who_may_call_whom(given: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        AllowedArgs(**given)


def test_a_cluster_subnet_knows_its_pods() -> None:
    sources = {p for r in rules(made(), "cluster") for p in r.get("sourceAddressPrefixes") or ()}
    assert {"10.244.0.0/16", SUBNETS["cluster"]} <= sources
    assert PODS not in sources
