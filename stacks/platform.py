"""Platform: wires the building blocks together. What an environment differs in comes from the settings alone."""

from __future__ import annotations

import dataclasses
import hashlib

import pulumi
from pulumi_azure_native import authorization, resources

from components.common import Site
from stacks.cluster import make_cluster
from stacks.data import customer_key, make_database, make_evidence, make_registry, make_uploads, make_vault
from stacks.entry import make_edge, make_gateway, make_website
from stacks.functions import make_functions
from stacks.identity import make_identity
from stacks.messaging import keep_push_keys, make_messaging, make_notifications
from stacks.network import APP_ZONE, BUS_ZONE, HUB_ZONE, access, make_network
from stacks.observability import make_alerts, make_monitoring, reach_monitoring
from stacks.services import Service, databases
from stacks.settings import Settings

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
        self.monitoring = make_monitoring(settings, site)
        self.site = site = dataclasses.replace(site, workspace_id=self.monitoring.workspace_id)

        self.network = make_network(settings, site)
        reach_monitoring(settings, self.network, self.monitoring)
        self.vault = make_vault(settings, site, self.network, client.object_id)
        self.registry = make_registry(settings, site, self.network, self.vault)
        self.uploads = make_uploads(settings, site, self.network, self.vault)
        self.evidence = make_evidence(settings, site, self.network, self.vault)
        self.database = make_database(settings, site, self.network, self.vault, databases(services))
        self.cluster = make_cluster(settings, site, self.network, self.registry, self.vault, self.monitoring)
        self.tokens = make_identity(settings, self.cluster.issuer, services)
        self.messaging = make_messaging(
            settings,
            site,
            services,
            access(self.network, BUS_ZONE) if settings.messaging.tier == "Premium" else None,
            customer_key(settings, self.vault, "messages"),
        )
        self.notifications = make_notifications(
            settings,
            site,
            access(self.network, BUS_ZONE, HUB_ZONE) if settings.notifications.tier == "Standard" else None,
        )
        self.push_keys = keep_push_keys(self.vault, self.notifications)
        self.gateway = make_gateway(settings, site, self.network, self.vault, self.monitoring, self.tokens)
        api = f"https://{settings.api_host}" if settings.edge else self.gateway.url
        self.website = make_website(settings, site, self.network, access(self.network, APP_ZONE), api)
        self.edge = make_edge(settings, site, self.network, self.vault, self.gateway, self.website)
        self.functions = make_functions(
            settings,
            site,
            self.network,
            self.monitoring,
            self.messaging,
            self.uploads,
            self.vault,
            access(self.network, APP_ZONE),
        )
        self.alerts = make_alerts(
            settings, site, self.monitoring, self.messaging, self.vault, self.cluster, self.functions
        )
        self.vault.tell_of_expiry(self.alerts.action_group_id)
