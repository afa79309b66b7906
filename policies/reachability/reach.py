"""Reach: whether one actor of a stack can reach another: over the network, and with the rights that it has there.

Actors: "internet"; "subnet:NAME"; "pod:NAME"; "namespace:NAME" (pods of a namespace that the stack does not make);
"site:NAME" (the code of an app, in the subnet that it calls from).
Targets: these; a resource as "KIND:NAME" (see KINDS, and gateway, edge, cluster-api); "host:FQDN" of the internet.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from policies.reachability.plan import Plan, Resource, at, same_id
from policies.reachability.pods import Pod, granted, may_receive, may_send, pods, scopes
from policies.reachability.subnets import INTERNET, Subnet, calls, lets_through, subnet_at, subnets

_SERVICE_PORT = 8080


@dataclass(frozen=True)
class Kind:
    """A service with private endpoints. zone: private DNS zone that its name resolves in; "{location}" stands for the
    resource's region. host: of its public names.

    acl: where its firewall is. endpoint: service endpoint that its firewall knows subnets by. roles: whether Azure
    roles decide who may use it (else users inside of it).
    """

    type: str
    port: int
    zone: str
    host: str
    access: str = "publicNetworkAccess"
    acl: str = ""
    endpoint: str = ""
    roles: bool = True


KINDS = {
    "vault": Kind(
        "keyvault:Vault",
        443,
        "privatelink.vaultcore.azure.net",
        "x.vault.azure.net",
        "properties.publicNetworkAccess",
        "properties.networkAcls",
        "Microsoft.KeyVault",
    ),
    "storage": Kind(
        "storage:StorageAccount",
        443,
        "privatelink.blob.core.windows.net",
        "x.blob.core.windows.net",
        acl="networkRuleSet",
        endpoint="Microsoft.Storage",
    ),
    "sql": Kind("sql:Server", 1433, "privatelink.database.windows.net", "x.database.windows.net", roles=False),
    "bus": Kind("servicebus:Namespace", 5671, "privatelink.servicebus.windows.net", "x.servicebus.windows.net"),
    "push": Kind(
        "notificationhubs:Namespace",
        443,
        "privatelink.servicebus.windows.net",
        "x.servicebus.windows.net",
        acl="networkAcls",
        roles=False,  # it knows signatures only: whose keys they are, the vault decides
    ),
    "registry": Kind("containerregistry:Registry", 443, "privatelink.azurecr.io", "x.azurecr.io", acl="networkRuleSet"),
    "telemetry": Kind(
        "applicationinsights:Component",
        443,
        "privatelink.monitor.azure.com",
        "x.in.applicationinsights.azure.com",
        "publicNetworkAccessForIngestion",
    ),
    "metrics": Kind(
        "monitor:AzureMonitorWorkspace",
        443,
        "privatelink.{location}.prometheus.monitor.azure.com",
        "x.prometheus.monitor.azure.com",
    ),
    "site": Kind("web:WebApp", 443, "privatelink.azurewebsites.net", "x.azurewebsites.net", roles=False),
}
"""learn.microsoft.com/azure/private-link/private-endpoint-dns."""
_PLACED = {
    "gateway": ("apimanagement:ApiManagementService", 443),
    "edge": ("network:ApplicationGateway", 443),
    "cluster-api": ("containerservice:ManagedCluster", 443),
}


class Reach:
    """The answers for one stack. Raises KeyError for an actor or target that the stack does not have."""

    def __init__(self, plan: Plan) -> None:
        self.plan, self._subnets = plan, subnets(plan)
        self._pods = {each.name: each for each in pods(plan)}

    def actors(self) -> list[str]:
        """Everybody who may start a connection."""
        within = [e.name for e in self.plan.of("web:WebApp") if e.inputs.get("virtualNetworkSubnetId")]
        return [
            "internet",
            *(f"subnet:{e.name}" for e in self._subnets),
            *(f"pod:{each}" for each in self._pods),
            *(f"site:{each}" for each in within),
        ]

    def targets(self) -> list[str]:
        """Everybody and everything that may be reached."""
        named = [(kind, each.type) for kind, each in KINDS.items()] + [
            (kind, each[0]) for kind, each in _PLACED.items()
        ]
        services = [f"{kind}:{each.name}" for kind, type_ in named for each in self.plan.of(type_)]
        return ["internet", *services, *(f"pod:{each}" for each in self._pods)]

    def can(self, actor: str, target: str) -> bool:
        """Whether the actor reaches the target and, where Azure roles decide there, its identity has one."""
        kind, _, name = target.partition(":")
        if kind == "internet":
            return self._calls(actor, None)
        if kind == "host":
            return self._calls(actor, name)
        if kind == "pod":
            return self._reaches_pod(actor, self._pods[name])
        if kind == "subnet":
            return self._enters(actor, self._subnet(name), 443)
        type_ = _PLACED[kind][0] if kind in _PLACED else KINDS[kind].type
        resource = next((each for each in self.plan.of(type_) if each.name == name), None)
        if resource is None:
            raise KeyError(f"{target}: the stack has none; it has {', '.join(self.targets())}.")
        if kind in _PLACED:
            return self._reaches_placed(actor, kind, resource)
        return self._may(actor, KINDS[kind], resource) and self._reaches(actor, KINDS[kind], resource)

    def _subnet(self, name: str) -> Subnet:
        return next(each for each in self._subnets if each.name == name)

    def _home(self, actor: str) -> Subnet | None:
        """The subnet that an actor's packets come from: a pod's are its nodes'."""
        kind, _, name = actor.partition(":")
        if kind == "subnet":
            return self._subnet(name)
        if kind == "site":
            return subnet_at(self._subnets, self._app(name).inputs.get("virtualNetworkSubnetId"))
        if kind == "internet":
            return None
        nodes = [pool for each in self.plan.of("containerservice:ManagedCluster") for pool in _pools(each)]
        return next(filter(None, (subnet_at(self._subnets, each) for each in nodes)), None)

    def _app(self, name: str) -> Resource:
        return next(each for each in self.plan.of("web:WebApp") if each.name == name)

    def _pod(self, actor: str) -> Pod | None:
        kind, _, name = actor.partition(":")
        return self._pods[name] if kind == "pod" else None

    def _calls(self, actor: str, host: str | None) -> bool:
        home, pod = self._home(actor), self._pod(actor)
        if home is None:
            return True
        return (pod is None or may_send(self.plan, pod, INTERNET, 443)) and calls(self.plan, home, host)

    def _enters(self, actor: str, subnet: Subnet, port: int) -> bool:
        home, pod = self._home(actor), self._pod(actor)
        if home is None:
            return lets_through(self.plan, subnet, "Inbound", INTERNET, port)
        if pod is not None and not may_send(self.plan, pod, subnet.block, port):
            return False
        out = lets_through(self.plan, home, "Outbound", subnet.block, port)
        return out and lets_through(self.plan, subnet, "Inbound", home.block, port)

    def _reaches_pod(self, actor: str, target: Pod) -> bool:
        kind, _, name = actor.partition(":")
        if kind == "namespace":
            return may_receive(self.plan, target, name, _SERVICE_PORT)
        pod = self._pod(actor)
        if pod is None:  # from outside the cluster: through its ingress, which is a namespace, or a balancer
            return _is_balanced(self.plan, target)
        return may_send(self.plan, pod, target, _SERVICE_PORT) and may_receive(self.plan, target, pod, _SERVICE_PORT)

    def _reaches(self, actor: str, kind: Kind, resource: Resource) -> bool:
        return self._privately(actor, kind, resource) or self._publicly(actor, kind, resource)

    def _privately(self, actor: str, kind: Kind, resource: Resource) -> bool:
        if self._home(actor) is None:
            return False
        ways = [resource.id, *_scopes(self.plan, resource)]
        endpoints = [each for each in self.plan.of("network:PrivateEndpoint") if _leads_to(each, ways)]
        placed = [(each, subnet_at(self._subnets, at(each.inputs, "subnet.id"))) for each in endpoints]
        zone = kind.zone.format(location=resource.inputs.get("location"))
        return any(
            subnet is not None and self._resolves(each, zone) and self._enters(actor, subnet, kind.port)
            for each, subnet in placed
        )

    def _resolves(self, endpoint: Resource, zone: str) -> bool:
        """Whether the endpoint's name is in the service's zone, and the zone is linked to a network."""
        name = endpoint.inputs.get("privateEndpointName")
        groups = [
            each
            for each in self.plan.of("network:PrivateDnsZoneGroup")
            if each.inputs.get("privateEndpointName") == name
        ]
        zones = [
            str(config.get("privateDnsZoneId", "")).rsplit("/", 1)[-1]
            for each in groups
            for config in each.inputs.get("privateDnsZoneConfigs") or ()
        ]
        links = [each.inputs.get("privateZoneName") for each in self.plan.of("privatedns:VirtualNetworkLink")]
        return zone in zones and zone in links

    def _publicly(self, actor: str, kind: Kind, resource: Resource) -> bool:
        if str(at(resource.inputs, kind.access) or "Enabled").lower() == "disabled":
            return False
        acl = (at(resource.inputs, kind.acl) if kind.acl else None) or {}
        home = self._home(actor)
        if acl.get("defaultAction") != "Deny":  # a SQL server's own rules may be changed inside of it: they don't count
            return self._calls(actor, kind.host)
        return home is not None and self._by_service_endpoint(actor, kind, home, acl)

    def _by_service_endpoint(self, actor: str, kind: Kind, home: Subnet, acl: dict) -> bool:
        """A service endpoint leaves past the default route (learn.microsoft.com/azure/virtual-network/
        virtual-network-service-endpoints-overview); to policies of pods it is an address of the internet."""
        known = [
            each.get("id") or each.get("virtualNetworkResourceId") for each in acl.get("virtualNetworkRules") or ()
        ]
        opened = {each.get("service") for each in home.declared.get("serviceEndpoints") or ()}
        pod = self._pod(actor)
        sends = pod is None or may_send(self.plan, pod, INTERNET, kind.port)
        return sends and kind.endpoint in opened and any(same_id(each, home.id) for each in known)

    def _may(self, actor: str, kind: Kind, resource: Resource) -> bool:
        held = self._held(actor)
        if held is None or not kind.roles:
            return True
        return any(each.lower().startswith(resource.id.lower()) for each in held)

    def _held(self, actor: str) -> Sequence[str] | None:
        """Ids at which an actor's identity has a role; None for an actor without one of its own."""
        kind, _, name = actor.partition(":")
        if kind == "site":
            app = self._app(name)
            return granted(self.plan, {app.urn, *(app.uses.get("identity") or ())})
        pod = self._pod(actor)
        return scopes(self.plan, pod) if pod else None

    def _reaches_placed(self, actor: str, kind: str, resource: Resource) -> bool:
        placed, port = _PLACED_IN[kind](resource), _PLACED[kind][1]
        subnet = subnet_at(self._subnets, placed)
        if actor == "internet":
            # A cluster's balancer is Azure's: no security group of ours is in front of it.
            free = subnet is None or kind == "cluster-api"
            opened = _open_to_internet(kind, resource)
            return opened and (free or lets_through(self.plan, subnet, "Inbound", INTERNET, port))
        return subnet is not None and self._enters(actor, subnet, port)


def _is_balanced(plan: Plan, target: Pod) -> bool:
    """Whether a Service gives pods a public address (learn.microsoft.com/azure/aks/internal-lb)."""
    for each in plan.of("core:Service"):
        spec, notes = each.inputs.get("spec") or {}, at(each.inputs, "metadata.annotations") or {}
        internal = notes.get("service.beta.kubernetes.io/azure-load-balancer-internal") == "true"
        chosen = spec.get("selector") or {}
        if spec.get("type") == "LoadBalancer" and not internal and chosen.items() <= target.labels.items():
            return True
    return False


def _pools(cluster: Resource) -> list[str]:
    return [str(each.get("vnetSubnetID")) for each in cluster.inputs.get("agentPoolProfiles") or ()]


def _scopes(plan: Plan, resource: Resource) -> list[str]:
    """Ids of the private link scopes that lead to a resource of Azure Monitor, which has no endpoint of its own."""
    links = [
        each
        for each in plan.of("monitor:PrivateLinkScopedResource")
        if same_id(each.inputs.get("linkedResourceId"), resource.id)
    ]
    return [each.id.rsplit("/", 2)[0] for each in links]


def _leads_to(endpoint: Resource, ways: Sequence[str]) -> bool:
    """Whether a private endpoint is of one of these; one of an app's slot ("sites-<slot>") is not the app's."""
    connections = endpoint.inputs.get("privateLinkServiceConnections") or ()
    own = [each for each in connections if not any(g.startswith("sites-") for g in each.get("groupIds") or ())]
    return any(same_id(each.get("privateLinkServiceId"), way) for each in own for way in ways)


_PLACED_IN: dict[str, Callable[[Resource], object]] = {
    "gateway": lambda each: (
        at(each.inputs, "virtualNetworkConfiguration.subnetResourceId")
        if each.inputs.get("virtualNetworkType") in ("Internal", "External")
        else None
    ),
    "edge": lambda each: at((each.inputs.get("gatewayIPConfigurations") or [{}])[0], "subnet.id"),
    "cluster-api": lambda each: at(each.inputs, "apiServerAccessProfile.subnetId"),
}


def _open_to_internet(kind: str, resource: Resource) -> bool:
    """Whether it has a public address that takes calls from anywhere."""
    inputs = resource.inputs
    if kind == "gateway":
        mode = inputs.get("virtualNetworkType") or "None"
        return mode == "External" or (mode == "None" and inputs.get("publicNetworkAccess") != "Disabled")
    if kind == "edge":
        return any(at(each, "publicIPAddress.id") for each in inputs.get("frontendIPConfigurations") or ())
    profile = inputs.get("apiServerAccessProfile") or {}
    return not profile.get("enablePrivateCluster") and not profile.get("authorizedIPRanges")
