"""Edge: an Application Gateway with a web application firewall, the only way in from the internet.

Leaves out: Front Door (it can't reach an internal API Management), DDoS protection plans, mutual TLS, plain HTTP
other than its redirection, private frontends.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
from pulumi_azure_native import network

from components.common import Site, assign_role, diagnose
from components.edge_routes import RouteArgs, Routes
from components.firewall_policy import PassArgs, firewall_policy
from components.identities import make_identity
from components.lock import lock


@dataclass(frozen=True, kw_only=True)
class EdgeArgs:
    """What an edge needs to know.

    site: resource group, region, tags and workspace that every block shares.
    subnet_id: subnet of its own. vault_id: vault of the certificates. routes: by name, at most 50.
    minimum, maximum: capacity units, 0 to 125. zones: "1" to "3".
    requests_per_minute: what one address may send before it is blocked.
    passes: what the firewall lets through that it would stop.
    after: what names of backends and of the vault resolve by, e.g. their private endpoints. What a gateway finds is
    kept until it is stopped and started again (learn.microsoft.com/azure/app-service/overview-app-gateway-integration).
    locked: keeps its public address, which DNS points to, from being deleted.
    """

    site: Site
    subnet_id: pulumi.Input[str]
    vault_id: pulumi.Input[str]
    routes: Mapping[str, RouteArgs]
    minimum: int
    maximum: int
    zones: Sequence[str] = ()
    requests_per_minute: int = 1000
    passes: PassArgs | None = None
    after: Sequence[pulumi.Resource] = ()
    locked: bool = False

    def __post_init__(self) -> None:
        if not 1 <= len(self.routes) <= 50:
            raise ValueError(f"routes: there are {len(self.routes)}; allowed are 1 to 50.")
        if not 0 <= self.minimum <= self.maximum <= 125 or self.maximum < 2:
            raise ValueError(
                f"minimum, maximum: {self.minimum} and {self.maximum} are not allowed; "
                "allowed are 0 to 125 units, of which the maximum is at least 2."
            )
        hosts = [route.host for route in self.routes.values()]
        if len(set(hosts)) < len(hosts):
            raise ValueError(f"routes: the hosts {sorted(hosts)} are not all different. Give each host one route.")


class Edge(pulumi.ComponentResource):
    """A firewall in prevention mode, in front of backends that are spoken to by TLS only."""

    address: pulumi.Output[str | None]
    """Public IPv4 address: what the host names' A records hold."""
    gateway_id: pulumi.Output[str]
    """Resource id of the Application Gateway."""
    policy_id: pulumi.Output[str]
    """Resource id of the firewall policy."""

    def __init__(self, name: str, args: EdgeArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("tributary:azure:Edge", name, {}, opts)
        child = pulumi.ResourceOptions(parent=self)
        site = args.site

        identity = make_identity(f"{name}-edge", site, child)
        reads = assign_role(
            f"{name}-reads-certificates",
            "Key Vault Secrets User",
            principal_id=identity.principal_id,
            scope=args.vault_id,
            site=site,
            opts=child,
        )
        address = network.PublicIPAddress(
            name,
            public_ip_address_name=site.name("pip", name),
            resource_group_name=site.resource_group,
            location=site.location,
            sku=network.PublicIPAddressSkuArgs(name="Standard", tier="Regional"),
            public_ip_allocation_method="Static",
            public_ip_address_version="IPv4",
            zones=list(args.zones) or None,
            tags=site.tags,
            opts=child,
        )
        policy = firewall_policy(name, args.requests_per_minute, args.passes or PassArgs(), site, child)

        own = site.name("agw", name)
        routes = Routes(site, own, args.routes)
        gateway = network.ApplicationGateway(
            name,
            application_gateway_name=own,
            resource_group_name=site.resource_group,
            location=site.location,
            sku=network.ApplicationGatewaySkuArgs(name="WAF_v2", tier="WAF_v2"),
            autoscale_configuration=network.ApplicationGatewayAutoscaleConfigurationArgs(
                min_capacity=args.minimum, max_capacity=args.maximum
            ),
            zones=list(args.zones) or None,
            identity=network.ManagedServiceIdentityArgs(
                type=network.ResourceIdentityType.USER_ASSIGNED, user_assigned_identities=[identity.id]
            ),
            enable_http2=True,
            firewall_policy=network.SubResourceArgs(id=policy.id),
            force_firewall_policy_association=True,
            ssl_policy=network.ApplicationGatewaySslPolicyArgs(
                # TLS 1.2 and 1.3, with forward secrecy and without CBC
                # (learn.microsoft.com/azure/application-gateway/application-gateway-ssl-policy-overview).
                policy_type="Predefined",
                policy_name="AppGwSslPolicy20220101S",
            ),
            gateway_ip_configurations=[
                network.ApplicationGatewayIPConfigurationArgs(
                    name="subnet", subnet=network.SubResourceArgs(id=args.subnet_id)
                )
            ],
            frontend_ip_configurations=[
                network.ApplicationGatewayFrontendIPConfigurationArgs(
                    name="public",
                    private_ip_allocation_method="Dynamic",
                    public_ip_address=network.SubResourceArgs(id=address.id),
                )
            ],
            frontend_ports=[
                network.ApplicationGatewayFrontendPortArgs(name="https", port=443),
                network.ApplicationGatewayFrontendPortArgs(name="http", port=80),
            ],
            ssl_certificates=routes.certificates(),
            backend_address_pools=routes.pools(),
            backend_http_settings_collection=routes.settings(),
            probes=routes.probes(),
            http_listeners=routes.listeners(),
            redirect_configurations=routes.redirections(),
            request_routing_rules=routes.rules(),
            tags=site.tags,
            opts=pulumi.ResourceOptions(parent=self, depends_on=[reads, *args.after]),
        )
        diagnose(
            f"{name}-edge",
            gateway,
            site,
            child,
            logs=["ApplicationGatewayAccessLog", "ApplicationGatewayFirewallLog"],
        )
        if args.locked:
            lock(f"{name}-address", address, self)

        self.address = address.ip_address
        self.gateway_id = gateway.id
        self.policy_id = policy.id
        self.register_outputs({"address": self.address, "gateway_id": self.gateway_id, "policy_id": self.policy_id})
