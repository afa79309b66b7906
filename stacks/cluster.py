"""Cluster: what the services run on, made as the settings say."""

from __future__ import annotations

import ipaddress

import pulumi

from components.cluster import Cluster, ClusterArgs
from components.cluster_maintenance import MaintenanceArgs
from components.cluster_pools import PoolArgs
from components.common import Site
from components.ingress import IngressArgs
from components.monitoring import Monitoring
from components.network import Network
from components.registry import Registry
from components.vault import Vault
from stacks.network import cluster_zone
from stacks.settings import Settings

_OUTBOUND = {"none": "loadBalancer", "nat": "userAssignedNATGateway", "firewall": "userDefinedRouting"}
"""How AKS calls what the nodes' subnet has."""


def make_cluster(
    settings: Settings,
    site: Site,
    network: Network,
    registry: Registry,
    vault: Vault,
    monitoring: Monitoring,
) -> Cluster:
    """The cluster, and what its agents tell monitoring."""
    wanted, networks = settings.cluster, settings.network
    return Cluster(
        "main",
        ClusterArgs(
            site=site,
            subnet_id=network.subnet_ids["cluster"],
            pods=networks.pods,
            services=networks.services,
            dns_service_ip=str(ipaddress.IPv4Network(networks.services)[10]),
            registry_id=registry.registry_id,
            tier=wanted.tier,
            kubernetes_version=wanted.kubernetes_version,
            node_size=wanted.node_size,
            node_count=wanted.node_count,
            node_maximum=wanted.node_maximum,
            os_disk=wanted.os_disk,
            os_disk_gb=wanted.os_disk_gb,
            zones=wanted.zones,
            encryption_at_host=wanted.encryption_at_host,
            pools=_pools(settings),
            login=wanted.login,
            admin_groups=wanted.admin_groups,
            outbound=_OUTBOUND[networks.egress],
            way_out=network.way_out,
            private=wanted.private,
            api_subnet_id=network.subnet_ids["api-server"] if wanted.private else None,
            zone_id=network.zone_ids[cluster_zone(site.location)] if wanted.private else None,
            network_id=network.network_id if wanted.private else None,
            allowed_addresses=() if wanted.private else _callers(settings, network),
            defender=wanted.defender,
            maintenance=MaintenanceArgs(**wanted.maintenance.model_dump()) if wanted.maintenance else None,
            collection=monitoring.collection,
            ingress=IngressArgs(zone_id=network.zone_ids[settings.inner_domain], vault_id=vault.vault_id),
        ),
    )


def _callers(settings: Settings, network: Network) -> list[pulumi.Input[str]]:
    """Whom a public API server answers: those that the settings list, and nodes, which come by the network's way out.

    AKS lets the address of its own balancer in by itself, that of a NAT gateway not (azure-docs#97437, #111834).
    """
    return [*settings.cluster.allowed_addresses, *(pulumi.Output.concat(each, "/32") for each in network.addresses)]


def _pools(settings: Settings) -> dict[str, PoolArgs]:
    wanted = settings.cluster
    if wanted.user_nodes is None:
        return {}
    shared = {name: getattr(wanted, name) for name in ("os_disk", "os_disk_gb", "zones", "encryption_at_host")}
    return {"services": PoolArgs(**wanted.user_nodes.model_dump(), **shared)}
