"""Presets: what the environments differ in. A stack's YAML names one and holds only what differs from it."""

from __future__ import annotations

from typing import Self

from pydantic import model_validator

from stacks.sections.entry import Edge, Functions, Gateway, WebSite
from stacks.sections.foundation import (
    AllowedHosts,
    Cluster,
    Database,
    ElasticPool,
    Images,
    MaintenanceWindow,
    Monitoring,
    Network,
    Registry,
    Retention,
    Safeguards,
    Section,
    Services,
    Storage,
    Subnets,
    Upgrades,
    UserNodes,
    Vault,
)
from stacks.sections.identity import Identity, Redirects
from stacks.sections.messaging import Messaging, Notifications
from stacks.sections.observability import Budget


class Preset(Section):
    """Everything that has a sensible value before one knows whose deployment it is.

    identity: of the tenant that people sign in at; None where this stack leaves that tenant alone.
    """

    identity: Identity | None
    network: Network
    monitoring: Monitoring
    registry: Registry
    vault: Vault
    storage: Storage
    database: Database
    cluster: Cluster
    images: Images
    services: Services
    messaging: Messaging
    notifications: Notifications
    gateway: Gateway
    edge: Edge | None
    web_site: WebSite
    functions: Functions
    alerts: Budget
    safeguards: Safeguards
    upgrades: Upgrades = Upgrades(azure_native=3)

    @model_validator(mode="after")
    def _goes_together(self) -> Self:
        if self.network.private and self.registry.sku != "Premium":
            raise ValueError("registry.sku: network.private is true, and that needs Premium; allowed is Premium")
        if self.network.private and self.vault.allowed_addresses:
            raise ValueError("vault.allowedAddresses: network.private is true, and that closes the public address")
        if self.safeguards.customer_keys and not self.vault.purge_protection:
            raise ValueError("safeguards.customerKeys: true needs vault.purgeProtection, and that is false")
        return self


_NETWORK = Network(
    address_space="10.20.0.0/16",
    subnets=Subnets(
        cluster="10.20.0.0/20",
        private_endpoints="10.20.16.0/24",
        gateway="10.20.17.0/24",
        edge="10.20.18.0/24",
        web="10.20.19.0/26",
        functions="10.20.19.64/26",
    ),
    pods="10.244.0.0/16",
    services="10.96.0.0/16",
    egress="nat",
    firewall_tier="Standard",
    allowed_hosts={},
    private=False,
)

_BASE_IMAGE = "docker.io/library/python:3.11-slim-bookworm"
_DIGESTS = "images.json"

_AZURE = AllowedHosts(
    sources=["cluster", "web", "functions", "runner"],
    # What is told to Azure Monitor goes by its private endpoint.
    hosts=["login.microsoftonline.com", "management.azure.com"],
)
_NODES = AllowedHosts(sources=["cluster"], tags=["AzureKubernetesService"])
# What add-ons need beside the tag (learn.microsoft.com/azure/aks/outbound-rules-control-egress). Without them the Azure
# Policy add-on enforces nothing, and Defender hears of nothing.
_POLICIES = AllowedHosts(sources=["cluster"], hosts=["data.policy.core.windows.net", "store.policy.core.windows.net"])
_DEFENDER = AllowedHosts(sources=["cluster"], hosts=["*.cloud.defender.microsoft.com"])
_BANKS = AllowedHosts(sources=["cluster"], hosts=["simulator-xs2a.db.com"])
"""Hosts of the banks in workloads/banks that exist outside the platform."""

DEV = Preset(
    # Tools on a developer's machine sign people in, too (RFC 8252, section 7.3): the end-to-end journey is one.
    identity=Identity(redirects=Redirects(mobile=["http://localhost"])),
    network=_NETWORK,
    monitoring=Monitoring(retention_days=30, sampling_percentage=100.0),
    registry=Registry(sku="Basic", zone_redundant=False, retention_days=0, replicated=False, cached={}),
    # Without purge protection: a stack that is deleted and made again needs its vault's name back.
    vault=Vault(sku="standard", purge_protection=False, soft_delete_days=7, rotate_days=365, seal_expires=None),
    storage=Storage(replication="Standard_LRS", soft_delete_days=7, evidence_days=0),
    database=Database(
        scheme="mssql+pyodbc",
        sku="S0",
        zone_redundant=False,
        backup_redundancy="Local",
        elastic_pool=ElasticPool(sku="StandardPool", tier="Standard", capacity=50, storage_gb=50),
        protected=False,
        retention=None,
        maintenance=None,
        replicated=False,
    ),
    cluster=Cluster(
        tier="Free",
        kubernetes_version="1.36",
        # As much as AKS asks of a system pool: two machines of four processors, and no B series
        # (learn.microsoft.com/azure/aks/use-system-pools).
        node_size="Standard_D4ds_v5",
        node_count=2,
        node_maximum=3,
        os_disk="Ephemeral",
        os_disk_gb=128,
        zones=[],
        login="azurecli",
        admin_groups=[],
        private=False,
        encryption_at_host=True,
        defender=True,
        allowed_addresses=[],
        user_nodes=None,
        maintenance=None,
        observed=False,
    ),
    # Whoever deploys dev has Docker; nothing else has to be there before the first update.
    images=Images(builder="docker", base_image=_BASE_IMAGE, digests=_DIGESTS),
    services=Services(replicas=1, replicas_maximum=1, sandbox_banks=True, private_egress=False),
    safeguards=Safeguards(locked=False, protected=False, customer_keys=False),
    messaging=Messaging(tier="Standard", capacity=None, replicated=False, allowed_addresses=[]),
    notifications=Notifications(tier="Free", zone_redundant=False, google=None, apple=None),
    gateway=Gateway(tier="Developer", capacity=1, zones=[], internal=False, purge=True, calls_per_minute=300),
    edge=None,
    web_site=WebSite(sku="S1", instances=1, zone_redundant=False, private=False),
    functions=Functions(memory_mb=2048, maximum=40, zone_redundant=False, private=False, build="wheels"),
    alerts=Budget(monthly_budget=900.0),
)

LOCAL = DEV.model_copy(
    update={
        # Test users sign in at the tenant of this machine, which asks nobody for a registered application.
        "identity": None,
        # What stands behind the embedded Azure's SQL server speaks PostgreSQL's protocol.
        "database": DEV.database.model_copy(update={"scheme": "postgresql+psycopg", "elastic_pool": None}),
        "cluster": DEV.cluster.model_copy(
            update={
                "kubernetes_version": "1.34",  # what the toolchain builds
                "node_count": 1,
                "node_maximum": 1,
                "allowed_addresses": ["127.0.0.0/8"],
            }
        ),
        # All blocks, as in production: the embedded Azure costs nothing.
        "gateway": DEV.gateway.model_copy(update={"internal": True}),
        "edge": Edge(minimum=0, maximum=2, zones=[], requests_per_minute=1000),
        "web_site": DEV.web_site.model_copy(update={"private": True}),
        # What they need is beside the embedded Azure already.
        "functions": DEV.functions.model_copy(update={"private": True, "build": "remote"}),
        # Its node brings interpreter and packages, and there may be no Docker.
        "images": DEV.images.model_copy(update={"builder": "layer"}),
    }
)

PROD = Preset(
    identity=Identity(),
    network=Network(
        address_space="10.30.0.0/16",
        subnets=Subnets(
            cluster="10.30.0.0/20",
            private_endpoints="10.30.16.0/24",
            gateway="10.30.17.0/24",
            edge="10.30.18.0/24",
            web="10.30.19.0/26",
            functions="10.30.19.64/26",
            api_server="10.30.20.0/27",
            runner="10.30.20.32/27",
            firewall="10.30.20.64/26",
        ),
        pods="10.244.0.0/16",
        services="10.96.0.0/16",
        egress="firewall",
        firewall_tier="Standard",
        allowed_hosts={
            "azure": _AZURE,
            "nodes": _NODES,
            "policies": _POLICIES,
            "defender": _DEFENDER,
            "banks": _BANKS,
        },
        private=True,
        # Of the bootstrap's runner, as its settings have it unless they say otherwise.
        deployers="10.10.0.0/24",
    ),
    monitoring=Monitoring(retention_days=365, sampling_percentage=25.0),
    registry=Registry(
        sku="Premium", zone_redundant=True, retention_days=30, replicated=True, cached={"mcr/*": "mcr.microsoft.com/*"}
    ),
    vault=Vault(sku="premium", purge_protection=True, soft_delete_days=90, rotate_days=365, seal_expires=None),
    # Five years, as the policies ask (TRB-ST-011): it can be made longer, never shorter.
    storage=Storage(replication="Standard_GZRS", soft_delete_days=30, evidence_days=1826),
    database=Database(
        scheme="mssql+pyodbc",
        sku="S0",
        zone_redundant=True,
        backup_redundancy="Geo",
        elastic_pool=ElasticPool(sku="GP_Gen5", tier="GeneralPurpose", capacity=4, storage_gb=256),
        protected=True,
        # What is erased on request is out of the last backup after a year.
        retention=Retention(days=35, weeks=12, months=12, years=0),
        maintenance="weekend",
        replicated=True,
    ),
    cluster=Cluster(
        tier="Standard",
        kubernetes_version="1.36",
        node_size="Standard_D4ds_v5",
        node_count=3,
        node_maximum=6,
        os_disk="Ephemeral",
        os_disk_gb=128,
        zones=["1", "2", "3"],
        login="workloadidentity",
        admin_groups=[],
        private=True,
        encryption_at_host=True,
        defender=True,
        allowed_addresses=[],
        user_nodes=UserNodes(size="Standard_D4ds_v5", count=3, maximum=9),
        maintenance=MaintenanceWindow(day="Saturday", hour=22),
        observed=True,
    ),
    # The very images that were tried in dev; and no package index or public registry is reached from prod's network.
    images=Images(builder="digests", base_image=_BASE_IMAGE, digests=_DIGESTS),
    services=Services(replicas=3, replicas_maximum=9, sandbox_banks=False, private_egress=True),
    safeguards=Safeguards(locked=True, protected=True, customer_keys=True),
    messaging=Messaging(tier="Premium", capacity=1, replicated=True, allowed_addresses=[]),
    notifications=Notifications(tier="Standard", zone_redundant=True, google=None, apple=None),
    gateway=Gateway(
        tier="Premium", capacity=3, zones=["1", "2", "3"], internal=True, purge=False, calls_per_minute=300
    ),
    edge=Edge(minimum=2, maximum=10, zones=["1", "2", "3"], requests_per_minute=1000),
    web_site=WebSite(sku="P1v3", instances=3, zone_redundant=True, private=True),
    functions=Functions(memory_mb=2048, maximum=100, zone_redundant=True, private=True, build="wheels"),
    alerts=Budget(monthly_budget=18000.0),
)

PRESETS = {"local": LOCAL, "dev": DEV, "prod": PROD}
