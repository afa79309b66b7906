"""Subnets: what each purpose asks of its subnet: size, delegation, way out, what its security group lets through."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

PODS = "pods"
"""Peer of a rule: the pods' overlay network, which is no subnet."""
DEPLOYERS = "deployers"
"""Peer of a rule: a peered network that deployments come from."""


@dataclass(frozen=True, kw_only=True)
class Rule:
    """What a security group lets through, in unless direction says otherwise.

    peers: purposes of other subnets, PODS, DEPLOYERS, or one of Azure's service tags; what the network does not have is
    left out. ports: of the destination. why: kept in Azure as the rule's description, at most 140 characters.
    """

    name: str
    peers: tuple[str, ...]
    ports: tuple[str, ...]
    why: str
    protocol: Literal["Tcp", "Udp", "*"] = "Tcp"
    direction: Literal["Inbound", "Outbound"] = "Inbound"
    access: Literal["Allow", "Deny"] = "Allow"


@dataclass(frozen=True, kw_only=True)
class Purpose:
    """What a subnet is for.

    longest_prefix: of its address block. rules: what comes in beside them is denied. delegation: service that puts its
    own machines there. way_out: whether it leaves through the network's NAT gateway or firewall. reaches: services that
    it may reach by service endpoint. azure_name: where Azure demands one. guarded: False where Azure allows no group.
    """

    longest_prefix: int
    rules: tuple[Rule, ...] = ()
    delegation: str | None = None
    way_out: bool = False
    reaches: tuple[str, ...] = ()
    azure_name: str | None = None
    guarded: bool = True


def _probes(ports: tuple[str, ...] = ("*",)) -> Rule:
    return Rule(
        name="probes",
        peers=("AzureLoadBalancer",),
        ports=ports,
        protocol="*",
        why="Health probes of Azure's balancers.",
    )


def _no_way_out(why: str) -> Rule:
    return Rule(
        name="nothing-out", peers=("*",), ports=("*",), protocol="*", direction="Outbound", access="Deny", why=why
    )


def _out(name: str, tag: str, ports: tuple[str, ...], why: str) -> Rule:
    return Rule(name=name, peers=(tag,), ports=ports, direction="Outbound", why=why)


_DATA = ("Microsoft.KeyVault", "Microsoft.Storage")

PURPOSES: Mapping[str, Purpose] = {
    # learn.microsoft.com/azure/aks/azure-cni-overlay, "Network security groups": with a rule that denies, nodes and
    # pods must be let through to each other on every port.
    "cluster": Purpose(
        longest_prefix=27,
        way_out=True,
        reaches=_DATA,
        rules=(
            Rule(name="nodes-and-pods", peers=("cluster", PODS), ports=("*",), protocol="*", why="Nodes and pods."),
            Rule(name="api-server", peers=("api-server",), ports=("*",), why="Kubelets and webhooks are called."),
            Rule(name="ingress", peers=("gateway", "edge"), ports=("443", "8080"), why="Calls of the services."),
            _probes(),
        ),
    ),
    # learn.microsoft.com/azure/aks/api-server-vnet-integration, "Limited network security group rules".
    "api-server": Purpose(
        longest_prefix=28,
        delegation="Microsoft.ContainerService/managedClusters",
        rules=(
            Rule(name="nodes", peers=("cluster",), ports=("443", "4443"), why="Nodes and pods call the API server."),
            Rule(
                name="runner", peers=("runner", DEPLOYERS), ports=("443",), why="Deployments from inside the network."
            ),
            _probes(("9988",)),
        ),
    ),
    # SQL answers at 1433 alone, as private endpoints proxy unless the server's connection policy redirects
    # (learn.microsoft.com/azure/azure-sql/database/connectivity-architecture); 5671 is AMQP of Service Bus.
    "private-endpoints": Purpose(
        longest_prefix=27,
        rules=(
            Rule(
                name="users",
                peers=("cluster", "gateway", "edge", "web", "functions", "runner", DEPLOYERS),
                ports=("443", "1433", "5671"),
                why="Data, secrets, images and messages of those who use them.",
            ),
            _no_way_out("Private endpoints call nobody."),
        ),
    ),
    # learn.microsoft.com/azure/api-management/virtual-network-reference, "Required ports" (compute platform stv2).
    "gateway": Purpose(
        longest_prefix=27,
        rules=(
            Rule(name="management", peers=("ApiManagement",), ports=("3443",), why="Azure manages API Management."),
            _probes(("6390",)),
            Rule(
                name="callers",
                peers=("edge", "cluster", "web", "functions", "runner", DEPLOYERS),
                ports=("443",),
                why="Calls of the APIs from inside the network.",
            ),
            Rule(name="own-cache", peers=("gateway",), ports=("6381-6383",), why="Its units share their cache."),
            Rule(
                name="own-limits",
                peers=("gateway",),
                ports=("4290",),
                protocol="Udp",
                why="Its units share rate limits.",
            ),
            _out("certificates", "Internet", ("80",), "Revocation lists of certificates."),
            _out("storage", "Storage", ("443",), "API Management's core dependency."),
            _out("sql", "Sql", ("1433",), "API Management's core dependency."),
            _out("vault", "AzureKeyVault", ("443",), "Named values and certificates."),
            _out("monitor", "AzureMonitor", ("443", "1886"), "Logs, metrics and resource health."),
            _out("entra", "AzureActiveDirectory", ("443",), "Tokens of its identity, signing keys of issuers."),
            _out("network", "VirtualNetwork", ("*",), "The services behind it."),
            # The same page, "Internal infrastructure and diagnostics": hosts that no tag names alone.
            _out("infrastructure", "AzureCloud", ("443", "12000"), "Certificates, updates and health of its machines."),
            Rule(
                name="clock",
                peers=("Internet",),
                ports=("123",),
                protocol="Udp",
                direction="Outbound",
                why="Its machines' clocks.",
            ),
            _no_way_out("Nothing but what API Management depends on."),
        ),
    ),
    # learn.microsoft.com/azure/application-gateway/configuration-infrastructure: management of v2 comes in at
    # 65200-65535, outbound to the internet must not be denied, and a default route to an appliance is not supported.
    # Port 80 stays closed: whoever types no scheme gets HTTPS by the browser's own default.
    "edge": Purpose(
        longest_prefix=26,
        rules=(
            Rule(name="internet", peers=("Internet",), ports=("443",), why="The one way in from the internet."),
            Rule(
                name="management", peers=("GatewayManager",), ports=("65200-65535",), why="Azure manages the gateway."
            ),
            _probes(),
        ),
    ),
    # learn.microsoft.com/azure/app-service/overview-vnet-integration: outbound only; half the addresses are to scale.
    "web": Purpose(longest_prefix=27, delegation="Microsoft.Web/serverFarms", way_out=True, reaches=_DATA),
    # No service endpoints: Flex Consumption takes a subnet that is used for nothing else, "private or service
    # endpoints" among it (learn.microsoft.com/azure/azure-functions/functions-networking-options, "Subnets"). It runs
    # on Container Apps, whose machines talk to each other
    # (learn.microsoft.com/azure/container-apps/firewall-integration).
    "functions": Purpose(
        longest_prefix=27,
        delegation="Microsoft.App/environments",
        way_out=True,
        rules=(
            Rule(name="own", peers=("functions",), ports=("*",), protocol="*", why="Its machines among themselves."),
            _probes(),
        ),
    ),
    "runner": Purpose(longest_prefix=28, way_out=True, reaches=_DATA),
    # learn.microsoft.com/azure/firewall/firewall-faq: name, size, and no security group.
    "firewall": Purpose(longest_prefix=26, azure_name="AzureFirewallSubnet", guarded=False),
}
"""Purposes by name. The first lines of each say whose rules they are."""


def subnet_name(purpose: str) -> str:
    """A purpose's name in Azure."""
    return PURPOSES[purpose].azure_name or f"snet-{purpose}"
