"""Gateway: an API Management service, and the APIs and products that are handed in as data.

Leaves out: the Consumption and v2 tiers (Consumption takes neither these TLS settings nor this API version:
azurerm#8405, vscode-apimanagement#378), self-hosted gateways, more regions, the private-endpoint mode (it excludes
an internal virtual network, and is rejected at creation: azure-rest-api-specs#24947), the developer portal's content.
A deleted service keeps its name for 48 hours, unless it is purged. Host names' certificates come from vaults without a
firewall: past one API Management gets with an identity of its own alone, which a service has only after it is made
(learn.microsoft.com/azure/api-management/api-management-howto-properties, "Requirements for Key Vault firewall").
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import pulumi
from pulumi_azure_native import apimanagement

from components.common import Site, assign_role, diagnose
from components.gateway_apis import ApiArgs, BackendArgs, ProductArgs
from components.gateway_content import Content
from components.identities import by_id, make_identity
from components.lock import lock
from components.name_release import NameRelease

_KINDS = apimanagement.ApimIdentityType
_READS = "Key Vault Secrets User"
_SECURITY = "Microsoft.WindowsAzure.ApiManagement.Gateway.Security"
_OLD_PROTOCOLS = ("Ssl30", "Tls10", "Tls11")
_OLD_CIPHERS = (
    "TripleDes168",
    "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA",
    "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA",
    "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA",
    "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA",
    "TLS_RSA_WITH_AES_128_CBC_SHA",
    "TLS_RSA_WITH_AES_128_CBC_SHA256",
    "TLS_RSA_WITH_AES_128_GCM_SHA256",
    "TLS_RSA_WITH_AES_256_CBC_SHA",
    "TLS_RSA_WITH_AES_256_CBC_SHA256",
    "TLS_RSA_WITH_AES_256_GCM_SHA384",
)
"""Those without forward secrecy, and CBC with SHA-1; on unless "False" is said. Names: REST API 2024-05-01,
customProperties, and azurerm's tls_rsa_with_aes256_gcm_sha384_ciphers_enabled for the last."""


@dataclass(frozen=True, kw_only=True)
class HostArgs:
    """A host name of the gateway. certificate: secret identifier in the vault, without version so that it is renewed.

    ask_certificate: whether clients are asked for one of theirs, which a policy then validates.
    """

    name: str
    certificate: pulumi.Input[str]
    ask_certificate: bool = False


@dataclass(frozen=True, kw_only=True)
class GatewayArgs:
    """What a gateway needs to know.

    site: resource group, region, tags and workspace that every block shares.
    tier: of the classic ones. capacity: units. zones: "1" to "3", with Premium; capacity must be a multiple of them.
    publisher, publisher_email: whom developers see, and who gets the service's mails.
    subnet_id: subnet that it is put into (Developer and Premium), reachable from its network only; None leaves it
    outside of any. public: whether the internet reaches it in its subnet, too.
    vault_id: vault of certificates and named values.
    component_id, connection_string: of Application Insights. sampling_percentage: share of requests that is recorded.
    hosts: host names beside the service's own. named_values: secret identifiers by name, usable as "{{name}}".
    values: what is no secret, by name, likewise.
    purged: whether a deleted one is purged, so that its name can be used again at once.
    apis, backends, products: by name. policy: for all APIs; None leaves Azure's. locked: keeps it from being deleted.
    """

    site: Site
    tier: Literal["Developer", "Basic", "Standard", "Premium"]
    capacity: int
    publisher: str
    publisher_email: str
    vault_id: pulumi.Input[str]
    component_id: pulumi.Input[str]
    connection_string: pulumi.Input[str]
    sampling_percentage: float
    zones: Sequence[str] = ()
    subnet_id: pulumi.Input[str] | None = None
    public: bool = False
    hosts: Sequence[HostArgs] = ()
    named_values: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)
    values: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)
    backends: Mapping[str, BackendArgs] = field(default_factory=dict)
    apis: Mapping[str, ApiArgs] = field(default_factory=dict)
    products: Mapping[str, ProductArgs] = field(default_factory=dict)
    policy: str | None = None
    purged: bool = False
    locked: bool = False

    def __post_init__(self) -> None:
        if self.zones and (self.tier != "Premium" or self.capacity % len(self.zones)):
            raise ValueError(
                f"zones: {list(self.zones)} need tier Premium and a multiple of {len(self.zones)} units; "
                f"given are {self.tier} and {self.capacity}."
            )
        if self.subnet_id is not None and self.tier not in ("Developer", "Premium"):
            raise ValueError(f"subnet_id: needs tier Developer or Premium, and tier is {self.tier}. Leave it out.")
        if self.public and self.subnet_id is None:
            raise ValueError("public: without a subnet it is reached from the internet anyway. Leave it out.")
        if twice := sorted(set(self.values) & set(self.named_values)):
            raise ValueError(f"values: {twice} are in named_values, too; allowed is one of both.")
        for name, api in self.apis.items():
            for version, each in api.versions.items():
                if each.backend not in self.backends:
                    raise ValueError(
                        f"apis: {name} {version} has the backend {each.backend!r}; allowed are {sorted(self.backends)}."
                    )
        for name, product in self.products.items():
            if strange := sorted(set(product.apis) - set(self.apis)):
                raise ValueError(f"products: {name} has the APIs {strange}; allowed are {sorted(self.apis)}.")


class Gateway(pulumi.ComponentResource):
    """A gateway that speaks TLS 1.2 and newer, reads its secrets from the vault, and logs no headers or bodies."""

    url: pulumi.Output[str]
    """Base URL under the service's own host name."""
    host: pulumi.Output[str]
    """The service's own host name."""
    private_address: pulumi.Output[str | None]
    """Its address in the virtual network; None for a public one."""
    identity_id: pulumi.Output[str]
    """Object id of its identity: what backends let in."""

    def __init__(self, name: str, args: GatewayArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        own = args.site.global_name("apim", name, longest=50)
        super().__init__("tributary:azure:Gateway", name, {}, opts)
        child = pulumi.ResourceOptions(parent=self)
        site = args.site

        identity = make_identity(f"{name}-gateway", site, child)
        wanted = [("sends-telemetry", "Monitoring Metrics Publisher", args.component_id)]
        wanted += [("reads-certificates", _READS, args.vault_id)] if args.hosts else []
        rights = [
            assign_role(f"{name}-{what}", role, principal_id=identity.principal_id, scope=scope, site=site, opts=child)
            for what, role, scope in wanted
        ]
        # The service itself reads only its host names' certificates; what is put into it reads the rest, and waits.
        waits: list[pulumi.Resource] = [*rights] if args.hosts else []
        if args.purged:
            waits.append(NameRelease(f"{name}-gateway", "gateway", own, site.location, site.subscription_id, child))
        service = apimanagement.ApiManagementService(
            name,
            service_name=own,
            resource_group_name=site.resource_group,
            location=site.location,
            sku=apimanagement.ApiManagementServiceSkuPropertiesArgs(name=args.tier, capacity=args.capacity),
            publisher_name=args.publisher,
            publisher_email=args.publisher_email,
            zones=list(args.zones) or None,
            identity=apimanagement.ApiManagementServiceIdentityArgs(
                type=_KINDS.SYSTEM_ASSIGNED_USER_ASSIGNED if args.named_values else _KINDS.USER_ASSIGNED,
                user_assigned_identities=by_id(identity),
            ),
            virtual_network_type=_network_type(args),
            virtual_network_configuration=apimanagement.VirtualNetworkConfigurationArgs(
                subnet_resource_id=args.subnet_id
            )
            if args.subnet_id is not None
            else None,
            hostname_configurations=[
                apimanagement.HostnameConfigurationArgs(
                    type="Proxy",
                    host_name=each.name,
                    key_vault_id=each.certificate,
                    identity_client_id=identity.client_id,
                    negotiate_client_certificate=each.ask_certificate,
                    certificate_source="KeyVault",
                )
                for each in args.hosts
            ],
            custom_properties=_transport(),
            # The SDK's default is false, which Azure refuses outside Consumption, where alone it means something
            # (pulumi-azure-native#1741, #1865).
            enable_client_certificate=True,
            developer_portal_status="Disabled",
            legacy_portal_status="Disabled",
            tags=site.tags,
            opts=pulumi.ResourceOptions(
                parent=self,
                depends_on=waits,
                # azure-native gives up after two hours (pulumi/pulumi#8500); azurerm waits three for this.
                custom_timeouts=pulumi.CustomTimeouts(create="3h", update="3h", delete="3h"),
            ),
        )
        diagnose(f"{name}-gateway", service, site, child, logs=["GatewayLogs"])

        if args.named_values:
            own_identity = service.identity.apply(_principal)
            rights.append(
                assign_role(
                    f"{name}-reads-secrets",
                    _READS,
                    principal_id=own_identity,
                    scope=args.vault_id,
                    site=site,
                    opts=child,
                )
            )
        after = pulumi.ResourceOptions(parent=self, depends_on=rights)
        content = Content(name, service, site, after)
        content.telemetry(args.component_id, args.connection_string, identity.client_id, args.sampling_percentage)
        content.named_values(args.named_values)
        content.values(args.values)
        content.backends(args.backends)
        content.policy(args.policy)
        content.apis(args.apis)
        content.products(args.products)
        if args.locked:
            lock(f"{name}-gateway", service, self)

        # Said, not asked: what is only told where the gateway will be need not wait an hour until it is there.
        self.host = pulumi.Output.from_input(f"{own}.azure-api.net")
        self.url = pulumi.Output.from_input(f"https://{own}.azure-api.net")
        self.private_address = service.private_ip_addresses.apply(lambda found: found[0] if found else None)
        self.identity_id = identity.principal_id
        self.register_outputs({"url": self.url, "host": self.host, "private_address": self.private_address})


def _principal(identity: apimanagement.outputs.ApiManagementServiceIdentityResponse | None) -> str:
    if identity is None or not identity.principal_id:
        raise ValueError("API Management reports no identity of its own: it can't read secrets. Look at its state.")
    return identity.principal_id


def _network_type(args: GatewayArgs) -> str:
    """In both modes it reaches what is in the network (learn.microsoft.com/azure/api-management/
    virtual-network-concepts)."""
    if args.subnet_id is None:
        return "None"
    return "External" if args.public else "Internal"


def _transport() -> dict[str, str]:
    protocols = [f"{_SECURITY}.{side}Protocols.{each}" for side in ("", "Backend.") for each in _OLD_PROTOCOLS]
    ciphers = [f"{_SECURITY}.Ciphers.{each}" for each in _OLD_CIPHERS]
    http2 = "Microsoft.WindowsAzure.ApiManagement.Gateway.Protocols.Server.Http2"
    return {http2: "True"} | dict.fromkeys(protocols + ciphers, "False")
