"""Cluster profiles: how a cluster's API server is reached, its pods are connected and watched, what is added to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pulumi_azure_native import containerservice

from components.cluster_observability import agent

if TYPE_CHECKING:
    from components.cluster import ClusterArgs


def api_server(args: ClusterArgs) -> containerservice.ManagedClusterAPIServerAccessProfileArgs | None:
    """Who reaches the API server; None lets everybody in who has an address on the internet."""
    if args.private:
        # learn.microsoft.com/azure/aks/api-server-vnet-integration
        return containerservice.ManagedClusterAPIServerAccessProfileArgs(
            enable_private_cluster=True,
            enable_private_cluster_public_fqdn=False,
            enable_vnet_integration=True,
            private_dns_zone=args.zone_id if args.zone_id is not None else "system",
            subnet_id=args.api_subnet_id,
        )
    if args.allowed_addresses:
        return containerservice.ManagedClusterAPIServerAccessProfileArgs(
            authorized_ip_ranges=list(args.allowed_addresses)
        )
    return None


def security(args: ClusterArgs) -> containerservice.ManagedClusterSecurityProfileArgs:
    """Identities for pods, images that nobody runs removed, and Defender where it is wanted."""
    return containerservice.ManagedClusterSecurityProfileArgs(
        workload_identity=containerservice.ManagedClusterSecurityProfileWorkloadIdentityArgs(enabled=True),
        image_cleaner=containerservice.ManagedClusterSecurityProfileImageCleanerArgs(enabled=True, interval_hours=48),
        defender=containerservice.ManagedClusterSecurityProfileDefenderArgs(
            log_analytics_workspace_resource_id=args.site.workspace_id,
            security_monitoring=containerservice.ManagedClusterSecurityProfileDefenderSecurityMonitoringArgs(
                enabled=True
            ),
        )
        if args.defender
        else None,
    )


def addons(args: ClusterArgs) -> dict[str, containerservice.ManagedClusterAddonProfileArgs]:
    """What Azure runs in the cluster."""
    return {
        "azurepolicy": containerservice.ManagedClusterAddonProfileArgs(enabled=True),
        # Certificates of the ingress and of pods come by it, and are looked at for newer versions.
        "azureKeyvaultSecretsProvider": containerservice.ManagedClusterAddonProfileArgs(
            enabled=True, config={"enableSecretRotation": "true", "rotationPollInterval": "2m"}
        ),
        **(agent(args.site) if args.collection else {}),
    }


def networks(args: ClusterArgs) -> containerservice.ContainerServiceNetworkProfileArgs:
    """An overlay network for pods, whose policies Cilium enforces."""
    return containerservice.ContainerServiceNetworkProfileArgs(
        network_plugin="azure",
        network_plugin_mode="overlay",
        network_dataplane="cilium",
        network_policy="cilium",
        load_balancer_sku="standard",
        outbound_type=args.outbound,
        pod_cidr=args.pods,
        service_cidr=args.services,
        dns_service_ip=args.dns_service_ip,
    )
