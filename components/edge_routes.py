"""Edge routes: which host name leads to which backend, as the lists that an Application Gateway is made of."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
from pulumi_azure_native import network

from components.common import Site


@dataclass(frozen=True, kw_only=True)
class RouteArgs:
    """What happens with requests for one host name.

    host: fully qualified name, without "*". certificate: secret identifier in the vault, without version so that it
    is renewed. backend_address: name or IPv4 address. backend_host: host name that it is asked for, which its
    certificate must hold. probe_path: answers 200 to 399 without a token while the backend is well, e.g. API
    Management's "/status-0123456789abcdef".
    """

    host: str
    certificate: pulumi.Input[str]
    backend_address: pulumi.Input[str]
    backend_host: pulumi.Input[str]
    probe_path: str

    def __post_init__(self) -> None:
        if not re.fullmatch(r"([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}", self.host):
            raise ValueError(f"host: {self.host!r} is not allowed; allowed are names such as api.example.com.")
        if not self.probe_path.startswith("/"):
            raise ValueError(f"probe_path: {self.probe_path!r} is not allowed; allowed are paths that start with '/'.")


class Routes:
    """The parts of one Application Gateway, which name each other by their ids. gateway: its name in Azure."""

    def __init__(self, site: Site, gateway: str, routes: Mapping[str, RouteArgs]) -> None:
        self._routes = routes
        self._own = pulumi.Output.concat(
            f"/subscriptions/{site.subscription_id}/resourceGroups/",
            site.resource_group,
            f"/providers/Microsoft.Network/applicationGateways/{gateway}",
        )

    def certificates(self) -> list[network.ApplicationGatewaySslCertificateArgs]:
        """Certificates in the vault, looked at every four hours for a newer version."""
        return [
            network.ApplicationGatewaySslCertificateArgs(name=name, key_vault_secret_id=route.certificate)
            for name, route in self._routes.items()
        ]

    def pools(self) -> list[network.ApplicationGatewayBackendAddressPoolArgs]:
        """Where backends are. Azure tells a name from an address by itself."""
        return [
            network.ApplicationGatewayBackendAddressPoolArgs(
                name=name,
                backend_addresses=[network.ApplicationGatewayBackendAddressArgs(fqdn=route.backend_address)],
            )
            for name, route in self._routes.items()
        ]

    def settings(self) -> list[network.ApplicationGatewayBackendHttpSettingsArgs]:
        """How backends are spoken to: TLS, its certificate checked against the known authorities and the host name."""
        return [
            network.ApplicationGatewayBackendHttpSettingsArgs(
                name=name,
                port=443,
                protocol="Https",
                host_name=route.backend_host,
                cookie_based_affinity="Disabled",
                request_timeout=60,
                probe=self._part("probes", name),
                connection_draining=network.ApplicationGatewayConnectionDrainingArgs(
                    enabled=True, drain_timeout_in_sec=60
                ),
            )
            for name, route in self._routes.items()
        ]

    def probes(self) -> list[network.ApplicationGatewayProbeArgs]:
        """How it is known that a backend is well. Times in seconds."""
        return [
            network.ApplicationGatewayProbeArgs(
                name=name,
                protocol="Https",
                path=route.probe_path,
                pick_host_name_from_backend_http_settings=True,
                interval=30,
                timeout=30,
                unhealthy_threshold=3,
                match=network.ApplicationGatewayProbeHealthResponseMatchArgs(status_codes=["200-399"]),
            )
            for name, route in self._routes.items()
        ]

    def listeners(self) -> list[network.ApplicationGatewayHttpListenerArgs]:
        """A listener a host name, and one for plain HTTP that only redirects."""
        return [
            listener
            for name, route in self._routes.items()
            for listener in (
                network.ApplicationGatewayHttpListenerArgs(
                    name=name,
                    protocol="Https",
                    host_name=route.host,
                    require_server_name_indication=True,
                    frontend_ip_configuration=self._part("frontendIPConfigurations", "public"),
                    frontend_port=self._part("frontendPorts", "https"),
                    ssl_certificate=self._part("sslCertificates", name),
                ),
                network.ApplicationGatewayHttpListenerArgs(
                    name=f"{name}-plain",
                    protocol="Http",
                    host_name=route.host,
                    require_server_name_indication=False,
                    frontend_ip_configuration=self._part("frontendIPConfigurations", "public"),
                    frontend_port=self._part("frontendPorts", "http"),
                ),
            )
        ]

    def redirections(self) -> list[network.ApplicationGatewayRedirectConfigurationArgs]:
        """Plain HTTP goes to HTTPS, for good."""
        return [
            network.ApplicationGatewayRedirectConfigurationArgs(
                name=name,
                redirect_type="Permanent",
                target_listener=self._part("httpListeners", name),
                include_path=True,
                include_query_string=True,
            )
            for name in self._routes
        ]

    def rules(self) -> list[network.ApplicationGatewayRequestRoutingRuleArgs]:
        """What each listener leads to. Each needs a priority of its own since API version 2021-08-01."""
        rules = []
        for index, name in enumerate(self._routes):
            rules += [
                network.ApplicationGatewayRequestRoutingRuleArgs(
                    name=name,
                    rule_type="Basic",
                    priority=100 + 2 * index,
                    http_listener=self._part("httpListeners", name),
                    backend_address_pool=self._part("backendAddressPools", name),
                    backend_http_settings=self._part("backendHttpSettingsCollection", name),
                ),
                network.ApplicationGatewayRequestRoutingRuleArgs(
                    name=f"{name}-plain",
                    rule_type="Basic",
                    priority=101 + 2 * index,
                    http_listener=self._part("httpListeners", f"{name}-plain"),
                    redirect_configuration=self._part("redirectConfigurations", name),
                ),
            ]
        return rules

    def _part(self, kind: str, name: str) -> network.SubResourceArgs:
        return network.SubResourceArgs(id=pulumi.Output.concat(self._own, f"/{kind}/{name}"))
