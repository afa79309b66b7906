"""Entry: the way in from the internet: edge, gateway, and the web app beside it."""

from __future__ import annotations

import pulumi

from components.common import PrivateAccess, Site
from components.edge import Edge, EdgeArgs
from components.edge_routes import RouteArgs
from components.firewall_policy import PassArgs
from components.gateway import Gateway, GatewayArgs
from components.monitoring import Monitoring
from components.network import Network
from components.vault import Vault
from components.website import WebSite, WebSiteArgs
from stacks.apis import PATH, apis, backends, products, values
from stacks.identity import Tokens
from stacks.settings import Settings

_ALIVE = "/status-0123456789abcdef"
"""API Management answers 200 there (learn.microsoft.com/azure/api-management/api-management-howto-integrate-
internal-vnet-appgateway)."""
_PAGE = "/index.html"
_PASSES = PassArgs(
    uploads=[f"/{PATH}/v1/documents"],
    # Where a bank sends a person back to, who sent them, and where a browser's notifications go.
    links=["return_address", "iss", "endpoint"],
    # What a person types for their bank, and what a bank sends them back with.
    secrets=["password", "otp", "code", "id_token", "state"],
)


def make_gateway(
    settings: Settings, site: Site, network: Network, vault: Vault, monitoring: Monitoring, tokens: Tokens
) -> Gateway:
    """API Management with the platform's API."""
    wanted = settings.gateway
    return Gateway(
        "main",
        GatewayArgs(
            site=site,
            tier=wanted.tier,
            capacity=wanted.capacity,
            zones=wanted.zones,
            publisher="Tributary",
            publisher_email=settings.contact,
            # Always inside: the services' ingress has an address and a name in the virtual network alone.
            subnet_id=network.subnet_ids["gateway"],
            public=not wanted.internal,
            purged=wanted.purge,
            vault_id=vault.vault_id,
            component_id=monitoring.component_id,
            connection_string=monitoring.connection_string,
            sampling_percentage=settings.monitoring.sampling_percentage,
            values=values(tokens),
            backends=backends(settings),
            apis=apis(settings, tokens),
            products=products(),
        ),
    )


def make_website(
    settings: Settings, site: Site, network: Network, access: PrivateAccess, api: pulumi.Input[str]
) -> WebSite:
    """The App Service that the web app is deployed to. api: base URL of the gateway."""
    wanted = settings.web_site
    return WebSite(
        "app",
        WebSiteArgs(
            site=site,
            sku=wanted.sku,
            instances=wanted.instances,
            zone_redundant=wanted.zone_redundant,
            runtime="NODE|22-lts",
            start="pm2 serve /home/site/wwwroot --no-daemon --spa",
            health_path=_PAGE,
            subnet_id=network.subnet_ids["web"],
            access=access if wanted.private else None,
            settings={"API_URL": pulumi.Output.concat(api, f"/{PATH}/v1")},
        ),
    )


def make_edge(
    settings: Settings, site: Site, network: Network, vault: Vault, gateway: Gateway, website: WebSite
) -> Edge | None:
    """The Application Gateway; None where the settings have none. It needs the certificates edge-api and edge-app."""
    wanted = settings.edge
    if wanted is None:
        return None
    return Edge(
        "main",
        EdgeArgs(
            site=site,
            subnet_id=network.subnet_ids["edge"],
            vault_id=vault.vault_id,
            minimum=wanted.minimum,
            maximum=wanted.maximum,
            zones=wanted.zones,
            requests_per_minute=wanted.requests_per_minute,
            passes=_PASSES,
            after=[*vault.ready, *website.ready],
            locked=settings.safeguards.locked,
            routes={
                "api": RouteArgs(
                    host=settings.api_host,
                    certificate=pulumi.Output.concat(vault.uri, "secrets/edge-api"),
                    # An address, and not a name: that would lead there only once the gateway is there, too, and an edge
                    # that looked before has to be stopped and started (see EdgeArgs).
                    backend_address=gateway.private_address.apply(_inside),
                    backend_host=gateway.host,
                    probe_path=_ALIVE,
                ),
                "app": RouteArgs(
                    host=settings.app_host,
                    certificate=pulumi.Output.concat(vault.uri, "secrets/edge-app"),
                    backend_address=website.host,
                    backend_host=website.host,
                    probe_path=_PAGE,
                ),
            },
        ),
    )


def _inside(address: str | None) -> str:
    if address is None:
        raise ValueError("API Management reports no address in the virtual network. Set gateway.internal to true.")
    return address
