"""Reachability: security groups, routes, private endpoints, network policies and roles, each on the smallest stack."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from policies.reachability.plan import Plan
from policies.reachability.pods import Pod, may_receive, may_send, scopes
from policies.reachability.reach import Reach
from policies.reachability.subnets import INTERNET, calls, lets_through, subnets
from policies.reachability.table import changed


@dataclass(frozen=True)
class Made:
    token: str
    id: str
    inputs: Mapping[str, Any]
    uses: Mapping[str, list[str]] = field(default_factory=dict)

    @property
    def urn(self) -> str:
        return f"urn:pulumi:prod::p::{self.token}::{self.name}"

    @property
    def name(self) -> str:
        return self.id.rsplit("/", 1)[-1]


def network(*declared: dict[str, Any]) -> Made:
    spaces = {"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}}
    return Made("azure-native:network:VirtualNetwork", "/net", {**spaces, "subnets": list(declared)})


def group(*rules: dict[str, Any]) -> Made:
    return Made("azure-native:network:NetworkSecurityGroup", "/nsg", {"securityRules": list(rules)})


def rule(priority: int, access: str, source: str, ports: str = "443", direction: str = "Inbound") -> dict[str, Any]:
    side = "source" if direction == "Inbound" else "destination"
    return {
        "priority": priority,
        "access": access,
        "direction": direction,
        "protocol": "Tcp",
        f"{side}AddressPrefix": source,
        "destinationPortRange": ports,
    }


GUARDED = {"name": "a", "addressPrefix": "10.0.1.0/24", "networkSecurityGroup": {"id": "/NSG"}}
NEIGHBOUR = ipaddress.IPv4Network("10.0.2.0/24")


def entering(*rules: dict[str, Any], peer: Any = INTERNET, port: int = 443) -> bool:
    plan = Plan([network(GUARDED), group(*rules)])
    return lets_through(plan, subnets(plan)[0], "Inbound", peer, port)


def test_the_rule_of_the_lowest_priority_decides_then_azures_defaults() -> None:
    assert not entering()
    assert entering(peer=NEIGHBOUR)
    assert entering(rule(200, "Deny", "*"), rule(100, "Allow", "Internet"))
    assert not entering(rule(100, "Deny", "*"), rule(200, "Allow", "Internet"))
    assert not entering(rule(100, "Deny", "10.0.2.0/23"), peer=NEIGHBOUR)
    assert not entering(rule(100, "Allow", "GatewayManager"))


def test_a_rule_counts_for_its_ports_alone() -> None:
    assert entering(rule(100, "Allow", "Internet", "400-500"))
    assert not entering(rule(100, "Allow", "Internet", "400-442"))
    assert entering(rule(100, "Allow", "Internet", "*"), port=1433)


def test_a_default_route_to_the_firewall_leaves_the_hosts_that_are_listed() -> None:
    routed = {"name": "a", "addressPrefix": "10.0.1.0/24", "routeTable": {"id": "/rt"}}
    way = {"addressPrefix": "0.0.0.0/0", "nextHopType": "VirtualAppliance"}
    table = Made("azure-native:network:RouteTable", "/rt", {"routes": [way]})
    listed = {"sourceAddresses": ["10.0.0.0/16"], "targetFqdns": ["*.bank.example"]}
    rules = {"ruleCollections": [{"action": {"type": "Allow"}, "rules": [listed]}]}
    firewall = Made("azure-native:network:FirewallPolicyRuleCollectionGroup", "/rules", rules)
    plan = Plan([network(routed), table, firewall])
    (subnet,) = subnets(plan)
    assert calls(plan, subnet, "api.bank.example")
    assert not calls(plan, subnet, "api.other.example")
    assert not calls(plan, subnet, None)
    free = Plan([network({"name": "a", "addressPrefix": "10.0.1.0/24"})])
    assert calls(free, subnets(free)[0], None)


def endpoint(zone: str, linked: str) -> list[Made]:
    link = {"privateLinkServiceId": "/vaults/kv", "groupIds": ["vault"]}
    here = {"privateEndpointName": "pep", "subnet": {"id": "/net/subnets/b"}, "privateLinkServiceConnections": [link]}
    named = {"privateEndpointName": "pep", "privateDnsZoneConfigs": [{"privateDnsZoneId": f"/zones/{zone}"}]}
    return [
        network({"name": "a", "addressPrefix": "10.0.1.0/24"}, {"name": "b", "addressPrefix": "10.0.2.0/24"}),
        Made("azure-native:network:PrivateEndpoint", "/pep", here),
        Made("azure-native:network:PrivateDnsZoneGroup", "/pep/default", named),
        Made("azure-native:privatedns:VirtualNetworkLink", "/link", {"privateZoneName": linked}),
        Made("azure-native:keyvault:Vault", "/vaults/kv", {"properties": {"publicNetworkAccess": "Disabled"}}),
    ]


@pytest.mark.parametrize(
    ("zone", "linked", "reaches"),
    [
        ("privatelink.vaultcore.azure.net", "privatelink.vaultcore.azure.net", True),
        ("privatelink.example", "privatelink.vaultcore.azure.net", False),
        ("privatelink.vaultcore.azure.net", "privatelink.example", False),
    ],
)
def test_a_private_endpoint_counts_with_its_name_in_a_linked_zone(zone: str, linked: str, reaches: bool) -> None:
    reach = Reach(Plan(endpoint(zone, linked)))
    assert reach.can("subnet:a", "vault:kv") is reaches
    assert not reach.can("internet", "vault:kv")


def test_azure_monitor_is_reached_by_a_scope_that_links_to_it() -> None:
    link = {"privateLinkServiceId": "/scopes/s", "groupIds": ["azuremonitor"]}
    zone = "privatelink.monitor.azure.com"
    network_, *made = endpoint(zone, zone)[:-1]
    made[0] = Made(made[0].token, "/pep", {**made[0].inputs, "privateLinkServiceConnections": [link]})
    component = Made(
        "azure-native:applicationinsights:Component", "/components/a", {"publicNetworkAccessForIngestion": "Disabled"}
    )
    linked = Made(
        "azure-native:monitor:PrivateLinkScopedResource",
        "/scopes/s/scopedResources/component",
        {"linkedResourceId": "/Components/A"},
    )
    assert Reach(Plan([network_, *made, component, linked])).can("subnet:a", "telemetry:a")
    assert not Reach(Plan([network_, *made, component, linked])).can("internet", "telemetry:a")
    assert not Reach(Plan([network_, *made, component])).can("subnet:a", "telemetry:a")


POD = Pod("consent", {"app": "consent"}, "urn::kubernetes:core/v1:ServiceAccount::consent")
OTHER = Pod("connector", {"app": "connector"}, "")


def policy(**spec: Any) -> Made:
    chosen = {"podSelector": {"matchLabels": {"app": "consent"}}, "policyTypes": ["Ingress", "Egress"], **spec}
    return Made("kubernetes:networking.k8s.io/v1:NetworkPolicy", "consent", {"spec": chosen})


def test_without_a_policy_all_is_allowed_and_with_one_only_what_it_says() -> None:
    assert may_send(Plan([]), POD, INTERNET, 443)
    denied = Plan([policy()])
    assert not may_send(denied, POD, INTERNET, 443)
    assert may_send(denied, OTHER, INTERNET, 443)
    to_bank = {"to": [{"ipBlock": {"cidr": "0.0.0.0/0", "except": ["10.0.0.0/8"]}}], "ports": [{"port": 443}]}
    plan = Plan([policy(egress=[to_bank])])
    assert may_send(plan, POD, INTERNET, 443)
    assert not may_send(plan, POD, INTERNET, 80)
    assert not may_send(plan, POD, NEIGHBOUR, 443)


def test_a_pod_is_let_in_by_its_labels_or_its_namespace() -> None:
    pods = {"podSelector": {"matchLabels": {"app": "connector"}}}
    ingress = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "entry"}}}
    plan = Plan([policy(ingress=[{"from": [pods, ingress]}])])
    assert may_receive(plan, POD, OTHER, 8080)
    assert may_receive(plan, POD, "entry", 8080)
    assert not may_receive(plan, POD, "default", 8080)
    assert not may_receive(plan, POD, POD, 8080)


def test_rights_follow_service_account_credential_identity_and_assignment() -> None:
    identity = "urn::azure-native:managedidentity:UserAssignedIdentity::consent"
    trusts = {"subject": "system:serviceaccount:ns:consent"}
    credential = Made(
        "azure-native:managedidentity:FederatedIdentityCredential", "/c", trusts, {"resourceName": [identity]}
    )
    granted = Made(
        "azure-native:authorization:RoleAssignment", "/r", {"scope": "/vaults/kv"}, {"principalId": [identity]}
    )
    assert list(scopes(Plan([credential, granted]), POD)) == ["/vaults/kv"]
    assert list(scopes(Plan([granted]), POD)) == []
    assert list(scopes(Plan([credential, granted]), OTHER)) == []


@pytest.mark.parametrize(
    ("scope", "subnet", "reaches"),
    [
        ("/vaults/kv/secrets/a", "/net/subnets/a", True),
        ("/vaults/other", "/net/subnets/a", False),
        ("/vaults/kv", None, False),
    ],
)
def test_the_code_of_an_app_calls_from_its_subnet_with_the_rights_of_its_identity(
    scope: str, subnet: str | None, reaches: bool
) -> None:
    zone, identity = "privatelink.vaultcore.azure.net", "urn::azure-native:managedidentity:UserAssignedIdentity::app"
    app = Made("azure-native:web:WebApp", "/app", {"virtualNetworkSubnetId": subnet}, {"identity": [identity]})
    given = Made("azure-native:authorization:RoleAssignment", "/r", {"scope": scope}, {"principalId": [identity]})
    reach = Reach(Plan([*endpoint(zone, zone), app, given]))
    assert reach.can("site:app", "vault:kv") is reaches
    assert ("site:app" in reach.actors()) is (subnet is not None)


def test_a_change_finds_list_elements_by_name_and_leaves_the_original_alone() -> None:
    before = {"rules": [{"name": "a", "access": "Deny"}, {"name": "b", "access": "Deny"}]}
    assert changed(before, "rules.[b].access", "Allow")["rules"][1]["access"] == "Allow"
    assert before["rules"][1]["access"] == "Deny"
    assert changed(before, "rules.[b].access", None)["rules"][1] == {"name": "b"}


@pytest.mark.parametrize(("region", "reaches"), [("westeurope", True), ("northeurope", False)])
def test_metrics_are_asked_for_in_the_zone_of_their_own_region(region: str, reaches: bool) -> None:
    zone = "privatelink.westeurope.prometheus.monitor.azure.com"
    stack = endpoint(zone, zone)
    closed = {"publicNetworkAccess": "Disabled", "location": region}
    workspace = Made("azure-native:monitor:AzureMonitorWorkspace", "/vaults/kv", closed)
    assert Reach(Plan([*stack[:-1], workspace])).can("subnet:a", "metrics:kv") is reaches
