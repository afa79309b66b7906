"""Picture: what of a stack is drawn: zones with what stands in them, services beside them, and lines between."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from policies.reachability.plan import Plan, Resource, at, same_id
from policies.reachability.pods import pods, scopes
from policies.reachability.reach import Reach
from policies.reachability.subnets import Subnet, hosts, subnet_at, subnets

Line = Literal["calls", "private endpoint", "service endpoint", "identity"]
_SERVICES = {
    "sql:Server": "SQL server",
    "keyvault:Vault": "Key Vault",
    "storage:StorageAccount": "Storage",
    "servicebus:Namespace": "Service Bus",
    "notificationhubs:Namespace": "Notification Hubs",
    "containerregistry:Registry": "Container registry",
    "web:WebApp": "App Service",
    "applicationinsights:Component": "Application Insights",
}
"""Services that stand outside of the network, in the order in which they are drawn."""
_PLACED = {
    "network:ApplicationGateway": "Application Gateway",
    "apimanagement:ApiManagementService": "API Management",
    "containerservice:ManagedCluster": "AKS",
    "network:AzureFirewall": "Azure Firewall",
    "web:WebApp": "sends for",
}
"""What stands in a subnet, or sends from it."""
_TARGETS = {"gateway": "apimanagement:ApiManagementService", "edge": "network:ApplicationGateway"}


@dataclass(frozen=True)
class Item:
    """Something that is drawn. key: what lines name it by. note: a second line of text."""

    key: str
    title: str
    note: str = ""


@dataclass(frozen=True)
class Zone:
    """A subnet and what stands in it."""

    key: str
    title: str
    items: tuple[Item, ...]


@dataclass(frozen=True)
class Picture:
    """All that is drawn. lines: from, to, kind."""

    title: str
    zones: tuple[Zone, ...]
    services: tuple[Item, ...]
    lines: tuple[tuple[str, str, Line], ...] = field(default=())


def picture(resources: Sequence[Resource], title: str) -> Picture:
    """The picture of a plan. The same plan gives the same picture, in whatever order its resources come."""
    plan = Plan(sorted(resources, key=lambda each: (each.token, each.name)))
    nets = sorted(subnets(plan), key=lambda each: each.block)
    zones = tuple(Zone(each.id.lower(), f"{each.name} {each.block}", tuple(_items(plan, each))) for each in nets)
    services = tuple(
        Item(each.id.lower(), kind, each.id.rsplit("/", 1)[1])
        for type_, kind in _SERVICES.items()
        for each in plan.of(type_)
    )
    drawn = {each.key for each in services} | {each.key for zone in zones for each in (zone, *zone.items)}
    lines = [*_calls(plan), *_endpoints(plan, nets), *_identities(plan)]
    kept = dict.fromkeys(each for each in lines if {each[0], each[1]} <= drawn | {"internet"} and each[0] != each[1])
    return Picture(title, zones, services, tuple(kept))


def _items(plan: Plan, subnet: Subnet) -> Iterator[Item]:
    for type_, kind in _PLACED.items():
        for each in plan.of(type_):
            if type_ == "containerservice:ManagedCluster":
                yield from _cluster(plan, each, subnet)
            elif _mentions(each.inputs, subnet.id):
                key = f"{each.id}/sends" if type_ == "web:WebApp" else each.id
                yield Item(key.lower(), kind, each.id.rsplit("/", 1)[1])
    for each in plan.of("network:PrivateEndpoint"):
        if same_id(at(each.inputs, "subnet.id"), subnet.id):
            yield Item(each.id.lower(), each.name, "private endpoint")


def _cluster(plan: Plan, cluster: Resource, subnet: Subnet) -> Iterator[Item]:
    """Nodes and pods in their subnet; an API server in its own."""
    name = cluster.id.rsplit("/", 1)[1]
    if _mentions(cluster.inputs.get("agentPoolProfiles"), subnet.id):
        yield Item(cluster.id.lower(), _PLACED["containerservice:ManagedCluster"], name)
        yield from (Item(f"pod:{each.name}", each.name, "pods") for each in sorted(pods(plan), key=lambda p: p.name))
    if _mentions(cluster.inputs.get("apiServerAccessProfile"), subnet.id):
        yield Item(f"{cluster.id}/api".lower(), "API server", name)


def _mentions(value: Any, text: str) -> bool:
    """Whether an id is anywhere in a value; identities are keys."""
    if isinstance(value, str):
        return same_id(value, text)
    parts = [*value, *value.values()] if isinstance(value, Mapping) else value if isinstance(value, list) else ()
    return any(_mentions(each, text) for each in parts)


def _calls(plan: Plan) -> Iterator[tuple[str, str, Line]]:
    """Who calls whom: the internet what it can reach, the edge the gateway, the firewall listed hosts."""
    reach = Reach(plan)
    for target in reach.targets():
        kind, _, name = target.partition(":")
        if kind in ("internet", "pod") or not reach.can("internet", target):
            continue
        yield "internet", _key(plan, kind, name), "calls"
    edges = [
        f"subnet:{each.name}" for each in subnets(plan) if any(_items_of(plan, each, "network:ApplicationGateway"))
    ]
    for gateway in plan.of(_TARGETS["gateway"]):
        for edge in edges:
            if reach.can(edge, f"gateway:{gateway.name}"):
                yield _edge_key(plan), gateway.id.lower(), "calls"
        yield from (
            (gateway.id.lower(), each.id.lower(), "calls") for each in plan.of("containerservice:ManagedCluster")
        )
    if any(hosts(plan, each) for each in subnets(plan)):
        yield from ((each.id.lower(), "internet", "calls") for each in plan.of("network:AzureFirewall"))


def _items_of(plan: Plan, subnet: Subnet, type_: str) -> list[Resource]:
    return [each for each in plan.of(type_) if _mentions(each.inputs, subnet.id)]


def _edge_key(plan: Plan) -> str:
    return next((each.id.lower() for each in plan.of(_TARGETS["edge"])), "")


def _key(plan: Plan, kind: str, name: str) -> str:
    types = {
        **_TARGETS,
        "cluster-api": "containerservice:ManagedCluster",
        "vault": "keyvault:Vault",
        "storage": "storage:StorageAccount",
        "sql": "sql:Server",
        "bus": "servicebus:Namespace",
        "push": "notificationhubs:Namespace",
        "registry": "containerregistry:Registry",
        "site": "web:WebApp",
    }
    return next(each.id.lower() for each in plan.of(types[kind]) if each.name == name)


def _endpoints(plan: Plan, nets: Sequence[Subnet]) -> Iterator[tuple[str, str, Line]]:
    for each in plan.of("network:PrivateEndpoint"):
        for link in each.inputs.get("privateLinkServiceConnections") or ():
            yield each.id.lower(), str(link.get("privateLinkServiceId")).lower(), "private endpoint"
    for path, type_ in (("properties.networkAcls", "keyvault:Vault"), ("networkRuleSet", "storage:StorageAccount")):
        for each in plan.of(type_):
            for known in (at(each.inputs, path) or {}).get("virtualNetworkRules") or ():
                subnet = subnet_at(nets, known.get("id") or known.get("virtualNetworkResourceId"))
                if subnet:
                    yield subnet.id.lower(), each.id.lower(), "service endpoint"


def _identities(plan: Plan) -> Iterator[tuple[str, str, Line]]:
    """From what has an identity to where it has a role: pods, and resources that name the identity as theirs."""
    services = [each for type_ in _SERVICES for each in plan.of(type_)]
    for pod in pods(plan):
        yield from (
            (f"pod:{pod.name}", each, "identity") for scope in scopes(plan, pod) for each in _at(services, scope)
        )
    identities = {each.urn: each for each in plan.of("managedidentity:UserAssignedIdentity")}
    bearers = [each for type_ in _PLACED for each in plan.of(type_)]
    for assignment in plan.of("authorization:RoleAssignment"):
        for urn in assignment.uses.get("principalId") or ():
            own = identities[urn].id if urn in identities else None
            for bearer in bearers:
                if bearer.urn == urn or (own and _mentions(bearer.inputs.get("identity"), own)):
                    key = f"{bearer.id}/sends" if bearer.token.endswith(":WebApp") else bearer.id
                    yield from (
                        (key.lower(), each, "identity") for each in _at(services, str(assignment.inputs.get("scope")))
                    )


def _at(services: Sequence[Resource], scope: str) -> list[str]:
    """The service that a scope is, or lies in."""
    lower = f"{scope.lower()}/"
    return [each.id.lower() for each in services if lower.startswith(f"{each.id.lower()}/")]
