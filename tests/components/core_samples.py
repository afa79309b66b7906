"""The platform's core blocks, each with everything it can do."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

from components.cluster import Cluster, ClusterArgs
from components.cluster_maintenance import MaintenanceArgs
from components.cluster_observability import CollectionArgs
from components.cluster_pools import PoolArgs
from components.common import Site
from components.database import Database, DatabaseArgs
from components.database_backups import RetentionArgs
from components.database_failover import SecondaryArgs
from components.database_protection import ProtectionArgs
from components.database_server import PoolArgs as DatabasePoolArgs
from components.file_containers import ContainerArgs
from components.file_store import FileStore, FileStoreArgs
from components.firewall import AllowedArgs, FirewallArgs
from components.network import Network, NetworkArgs
from components.registry import Registry, RegistryArgs
from components.vault import Vault, VaultArgs
from components.vault_certificate import CertificateArgs
from components.vault_key import KeyArgs
from tests.components.site import ACCESS, KEY, SITE

SUBNETS = {
    "cluster": "10.0.0.0/20",
    "private-endpoints": "10.0.16.0/24",
    "gateway": "10.0.17.0/24",
    "edge": "10.0.18.0/24",
    "web": "10.0.19.0/26",
    "functions": "10.0.19.64/26",
    "api-server": "10.0.20.0/27",
    "runner": "10.0.20.32/27",
    "firewall": "10.0.20.64/26",
}
WALL = FirewallArgs(
    tier="Premium",
    zones=["1", "2", "3"],
    allowed={
        "banks": AllowedArgs(sources=["cluster"], hosts=["api.bank.example", "*.bank.example"]),
        "nodes": AllowedArgs(sources=["cluster"], tags=["AzureKubernetesService"]),
    },
)


def network_args(site: Site = SITE, **changes: Any) -> NetworkArgs:
    everything: dict[str, Any] = {
        "site": site,
        "address_space": "10.0.0.0/16",
        "subnets": SUBNETS,
        "pods": "10.244.0.0/16",
        "egress": WALL,
        "private_zones": ["privatelink.database.windows.net"],
    }
    return NetworkArgs(**everything | changes)


def database_args(site: Site = SITE, **changes: Any) -> DatabaseArgs:
    everything: dict[str, Any] = {
        "site": site,
        "databases": ["audit", "consent"],
        "sku": "S0",
        "backup_redundancy": "GeoZone",
        "access": ACCESS,
        "zone_redundant": True,
        "pool": DatabasePoolArgs(sku="GP_Gen5", tier="GeneralPurpose", capacity=4, storage_gb=32),
        "ledger": ["audit"],
        "key": KEY,
        "protection": ProtectionArgs(emails=["on-call@example.com"]),
        "retention": RetentionArgs(days=35, weeks=5, months=12, years=7),
        "maintenance": "weekend",
        "secondary": SecondaryArgs(location="northeurope", access=ACCESS),
        "locked": True,
    }
    return DatabaseArgs(**everything | changes)


def vault_args(site: Site = SITE, **changes: Any) -> VaultArgs:
    everything: dict[str, Any] = {
        "site": site,
        "sku": "premium",
        "purge_protection": True,
        "soft_delete_days": 90,
        "access": ACCESS,
        "keys": {
            "user-data": KeyArgs(hardware=True, rotate_days=365),
            "seal": KeyArgs(use="sign", hardware=True, expires=date(2028, 11, 30)),
        },
        "certificates": {"qwac": CertificateArgs(subject="CN=api.example.com, O=Example, C=DE")},
        "deployer_id": "object of the pipeline",
        "locked": True,
    }
    return VaultArgs(**everything | changes)


def make_vault(site: Site) -> None:
    Vault("main", vault_args(site)).tell_of_expiry("/id/of/ActionGroup/main")


def registry_args(site: Site = SITE, **changes: Any) -> RegistryArgs:
    everything: dict[str, Any] = {
        "site": site,
        "sku": "Premium",
        "zone_redundant": True,
        "retention_days": 30,
        "replicas": {"northeurope": True},
        "cached": {"mcr/*": "mcr.microsoft.com/*"},
        "access": ACCESS,
        "key": KEY,
        "locked": True,
    }
    return RegistryArgs(**everything | changes)


def store_args(site: Site = SITE, **changes: Any) -> FileStoreArgs:
    everything: dict[str, Any] = {
        "site": site,
        "replication": "Standard_GZRS",
        "soft_delete_days": 30,
        "containers": {
            "uploads": ContainerArgs(cool_days=90, delete_days=400),
            "audit": ContainerArgs(immutable_days=1826, final=True),
        },
        "access": {"blob": ACCESS, "queue": ACCESS},
        "key": KEY,
        "locked": True,
    }
    return FileStoreArgs(**everything | changes)


def cluster_args(site: Site = SITE, **changes: Any) -> ClusterArgs:
    everything: dict[str, Any] = {
        "site": site,
        "subnet_id": "/subnet",
        "pods": "10.244.0.0/16",
        "services": "10.96.0.0/16",
        "dns_service_ip": "10.96.0.10",
        "registry_id": "/registry",
        "tier": "Standard",
        "kubernetes_version": "1.34",
        "node_size": "Standard_D4ds_v5",
        "node_count": 3,
        "node_maximum": 5,
        "os_disk": "Ephemeral",
        "os_disk_gb": 128,
        "zones": ["1", "2", "3"],
        "login": "workloadidentity",
        "admin_groups": ["g"],
        "pools": {"services": PoolArgs(size="Standard_D4ds_v5", count=3, maximum=9, zones=["1", "2", "3"])},
        "outbound": "userDefinedRouting",
        "private": True,
        "api_subnet_id": "/api-subnet",
        "encryption_at_host": True,
        "defender": True,
        "maintenance": MaintenanceArgs(day="Saturday", hour=22),
        "collection": CollectionArgs(
            metrics_workspace_id="/id/of/AzureMonitorWorkspace/main", endpoint_id="/id/of/DataCollectionEndpoint/main"
        ),
    }
    return ClusterArgs(**everything | changes)


CORE: dict[str, Callable[[Site], Any]] = {
    "network": lambda site: Network("main", network_args(site)),
    "registry": lambda site: Registry("main", registry_args(site)),
    "cluster": lambda site: Cluster("main", cluster_args(site)),
    "vault": make_vault,
    "file store": lambda site: FileStore("files", store_args(site)),
    "database": lambda site: Database("main", database_args(site)),
}
"""A function a block, that makes it at a site."""
