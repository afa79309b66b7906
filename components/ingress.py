"""Ingress: AKS's application routing add-on, with an address inside the virtual network and names in a private zone.

Leaves out: a public address, other controllers. It watches Ingress objects of its class, CLASS. Microsoft supports its
NGINX controller until November 2026 and moves it to the Gateway API (learn.microsoft.com/azure/aks/app-routing).
"""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
from pulumi_azure_native import containerservice

from components.common import Site, assign_role

CLASS = "webapprouting.kubernetes.azure.com"
"""Class of the Ingress objects that it serves."""
CERTIFICATE = "kubernetes.azure.com/tls-cert-keyvault-uri"
"""Annotation of an Ingress: the certificate in the vault; it arrives in the secret "keyvault-<name of the Ingress>"."""


@dataclass(frozen=True, kw_only=True)
class IngressArgs:
    """What the add-on needs to know. zone_id: private DNS zone that it writes names into. vault_id: of certificates."""

    zone_id: pulumi.Input[str]
    vault_id: pulumi.Input[str]


def ingress_profile(args: IngressArgs) -> containerservice.ManagedClusterIngressProfileArgs:
    """The add-on's part of a cluster."""
    return containerservice.ManagedClusterIngressProfileArgs(
        web_app_routing=containerservice.ManagedClusterIngressProfileWebAppRoutingArgs(
            enabled=True,
            dns_zone_resource_ids=[args.zone_id],
            nginx=containerservice.ManagedClusterIngressProfileNginxArgs(default_ingress_controller_type="Internal"),
        )
    )


def ingress_rights(
    name: str, args: IngressArgs, cluster: containerservice.ManagedCluster, site: Site, opts: pulumi.ResourceOptions
) -> None:
    """Lets the add-on's own identity write names and read certificates."""
    identity = cluster.ingress_profile.apply(_identity)
    for purpose, role, scope in (
        ("writes-names", "Private DNS Zone Contributor", args.zone_id),
        ("reads-certificates", "Key Vault Certificate User", args.vault_id),
    ):
        assign_role(f"{name}-ingress-{purpose}", role, principal_id=identity, scope=scope, site=site, opts=opts)


def _identity(profile: containerservice.outputs.ManagedClusterIngressProfileResponse | None) -> str:
    routing = profile.web_app_routing if profile else None
    if routing is None or not routing.identity.object_id:
        raise ValueError("AKS reports no identity of the application routing add-on. Look at the cluster's state.")
    return routing.identity.object_id
