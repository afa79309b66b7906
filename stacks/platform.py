"""Platform: wires the building blocks together. What an environment differs in comes from the settings alone."""

from __future__ import annotations

import dataclasses
import hashlib
import ipaddress

import pulumi
from pulumi_azure_native import authorization, resources

from components.cluster import Cluster, ClusterArgs
from components.common import PrivateAccess, Site
from components.database import Database, DatabaseArgs, PoolArgs
from components.file_store import FileStore, FileStoreArgs
from components.ingress import IngressArgs
from components.monitoring import Monitoring, MonitoringArgs
from components.registry import Registry, RegistryArgs
from components.vault import Vault, VaultArgs
from stacks.entry import make_edge, make_gateway, make_website
from stacks.functions import CONTAINER, UNDELIVERED, make_functions
from stacks.identity import make_identity
from stacks.messaging import make_messaging, make_notifications
from stacks.network import make_network
from stacks.observability import make_alerts
from stacks.services import Service, databases
from stacks.settings import Settings

DATA_KEY = "user-data"
"""The vault's key that wraps the keys of users' data; the chassis looks for it by this name."""
_SQL_ZONE = "privatelink.database.windows.net"
_BUS_ZONE = "privatelink.servicebus.windows.net"
_APP_ZONE = "privatelink.azurewebsites.net"
_ALPHABET = "abcdefghijklmnopqrstuvwxyz234567"


def site_suffix(subscription: str, project: str, stack: str) -> str:
    """Six characters that make global names unique, and the same again when a stack is deleted and made anew."""
    digest = hashlib.sha256(f"{subscription}/{project}/{stack}".encode()).digest()
    return "".join(_ALPHABET[byte % len(_ALPHABET)] for byte in digest[:6])


class Platform:
    """Everything that services run on and use."""

    def __init__(self, settings: Settings, services: tuple[Service, ...]) -> None:
        client = authorization.get_client_config()
        stack, project = pulumi.get_stack(), pulumi.get_project()
        short = stack.replace("-", "")[:8]

        group = resources.ResourceGroup(
            "platform",
            resource_group_name=f"rg-{project}-{stack}",
            location=settings.location,
            tags=settings.tags,
        )
        site = Site(
            resource_group=group.name,
            location=settings.location,
            stack=short,
            suffix=site_suffix(client.subscription_id, project, stack),
            tenant_id=client.tenant_id,
            subscription_id=client.subscription_id,
            tags=settings.tags,
        )
        self.resource_group = group
        self.tokens = make_identity(settings)
        self.monitoring = Monitoring(
            "main",
            MonitoringArgs(
                site=site,
                retention_days=settings.monitoring.retention_days,
                sampling_percentage=settings.monitoring.sampling_percentage,
            ),
        )
        self.site = site = dataclasses.replace(site, workspace_id=self.monitoring.workspace_id)

        network = settings.network
        self.network = make_network(settings, site, [_SQL_ZONE, _BUS_ZONE, _APP_ZONE, settings.inner_domain])
        self.registry = Registry(
            "main",
            RegistryArgs(
                site=site,
                sku=settings.registry.sku,
                zone_redundant=settings.registry.zone_redundant,
                retention_days=settings.registry.retention_days,
            ),
        )
        self.vault = Vault(
            "main",
            VaultArgs(
                site=site,
                sku=settings.vault.sku,
                purge_protection=settings.vault.purge_protection,
                soft_delete_days=settings.vault.soft_delete_days,
                subnet_ids=[self.network.subnet_ids["cluster"]],
                keys=[DATA_KEY],
            ),
        )
        self.uploads = FileStore(
            "files",
            FileStoreArgs(
                site=site,
                replication=settings.storage.replication,
                soft_delete_days=settings.storage.soft_delete_days,
                containers=[CONTAINER, UNDELIVERED],
                subnet_ids=[self.network.subnet_ids["cluster"]],
            ),
        )
        pool = settings.database.elastic_pool
        self.database = Database(
            "main",
            DatabaseArgs(
                site=site,
                databases=databases(services),
                sku=settings.database.sku,
                zone_redundant=settings.database.zone_redundant,
                backup_redundancy=settings.database.backup_redundancy,
                pool=PoolArgs(**pool.model_dump()) if pool else None,
                access=self._access(_SQL_ZONE),
            ),
        )
        self.cluster = Cluster(
            "main",
            ClusterArgs(
                site=site,
                subnet_id=self.network.subnet_ids["cluster"],
                pods=network.pods,
                services=network.services,
                dns_service_ip=str(ipaddress.IPv4Network(network.services)[10]),
                registry_id=self.registry.registry_id,
                api_subnet_id=self.network.subnet_ids["api-server"] if settings.cluster.private else None,
                ingress=IngressArgs(zone_id=self.network.zone_ids[settings.inner_domain], vault_id=self.vault.vault_id),
                **settings.cluster.model_dump(),
            ),
        )
        self.messaging = make_messaging(
            settings, site, services, self._access(_BUS_ZONE) if settings.messaging.tier == "Premium" else None
        )
        self.notifications = make_notifications(
            settings, site, self._access(_BUS_ZONE) if settings.notifications.tier == "Standard" else None
        )
        self.gateway = make_gateway(settings, site, self.network, self.vault, self.monitoring, self.tokens)
        api = f"https://{settings.api_host}" if settings.edge else self.gateway.url
        self.website = make_website(settings, site, self.network, self._access(_APP_ZONE), api)
        self.edge = make_edge(settings, site, self.network, self.vault, self.gateway, self.website)
        self.functions = make_functions(
            settings, site, self.network, self.monitoring, self.messaging, self.uploads, self._access(_APP_ZONE)
        )
        self.alerts = make_alerts(settings, site, self.monitoring, self.messaging, self.vault)

    def _access(self, zone: str) -> PrivateAccess:
        return PrivateAccess(
            subnet_id=self.network.subnet_ids["private-endpoints"], zone_id=self.network.zone_ids[zone]
        )
