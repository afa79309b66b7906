"""Each block as a program of its own, with everything it can do; what it depends on is handed in by id."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

from components.alerts import Alerts
from components.blob_events import BlobEventsArgs
from components.cluster import Cluster, ClusterArgs
from components.common import PrivateAccess, Site
from components.customer_key import CustomerKey
from components.database import Database
from components.database_failover import SecondaryArgs
from components.edge import Edge
from components.file_containers import ContainerArgs
from components.file_store import FileStore
from components.functions import Functions, HostStorageArgs
from components.gateway import Gateway
from components.message_entities import FilterArgs, SubscriptionArgs, TopicArgs
from components.messaging import Messaging
from components.monitoring import Monitoring, MonitoringArgs
from components.network import Network
from components.notifications import Notifications
from components.registry import Registry
from components.vault import Vault
from components.vault_certificate import CertificateArgs
from components.website import WebSite
from components.workload_identity import Grant, WorkloadIdentity, WorkloadIdentityArgs
from local.instance import SUBSCRIPTION_ID, TENANT_ID
from stacks.transforms import use_transforms
from tests.components import samples
from tests.components.core_samples import database_args, network_args, registry_args, store_args, vault_args

Handed = Mapping[str, str]
REGION = "westeurope"


def _access(handed: Handed, zone: str) -> PrivateAccess:
    return PrivateAccess(subnet_id=handed["subnet endpoints"], zone_id=handed[f"zone {zone}"])


def _key(handed: Handed) -> CustomerKey:
    return CustomerKey(key_id=handed["key"], vault_uri=handed["vault uri"], version_uri=handed["key version"])


def _metrics(handed: Handed) -> dict[str, Any]:
    return {
        name: dataclasses.replace(each, resource_id=handed["namespace"])
        for name, each in samples.alerts_args().metrics.items()
    }


def alerts(site: Site, handed: Handed) -> None:
    told = {"component_id": handed["component"], "workspace_id": handed["workspace"], "metrics": _metrics(handed)}
    Alerts("main", samples.alerts_args(site, **told))


def cluster(site: Site, handed: Handed) -> None:
    args = ClusterArgs(
        site=site,
        subnet_id=handed["subnet cluster"],
        pods="10.244.0.0/16",
        services="10.245.0.0/16",
        dns_service_ip="10.245.0.10",
        registry_id=handed["registry"],
        tier="Standard",
        kubernetes_version="1.34",
        node_size="Standard_D4ds_v5",
        node_count=2,
        node_maximum=5,
        os_disk="Ephemeral",
        os_disk_gb=64,
        zones=["1", "2", "3"],
        login="workloadidentity",
        admin_groups=[],
    )
    Cluster("main", args)


def database(site: Site, handed: Handed) -> None:
    access = _access(handed, "database.windows.net")
    args = database_args(
        site, access=access, key=_key(handed), secondary=SecondaryArgs(location="northeurope", access=access)
    )
    Database("main", args)


def edge(site: Site, handed: Handed) -> None:
    Edge("main", samples.edge_args(site, subnet_id=handed["subnet edge"], vault_id=handed["vault"]))


def file_store(site: Site, handed: Handed) -> None:
    access = _access(handed, "blob.core.windows.net")
    # Evidence that is locked for good could not be destroyed again.
    containers = {"uploads": ContainerArgs(cool_days=90, delete_days=400), "audit": ContainerArgs(immutable_days=1)}
    FileStore("files", store_args(site, access={"blob": access}, key=_key(handed), containers=containers))


def functions(site: Site, handed: Handed) -> None:
    args = samples.functions_args(
        site,
        storage=HostStorageArgs(account_id=handed["account"], blob_endpoint=handed["blobs"], packages="packages"),
        subnet_id=handed["subnet functions"],
        component_id=handed["component"],
        access=_access(handed, "azurewebsites.net"),
        events=BlobEventsArgs(
            account_id=handed["account"],
            container="uploads",
            queue_id=handed["queue"],
            queue="uploads",
            host="sb.example",
            undelivered="undelivered",
        ),
        grants={},
    )
    Functions("main", args)


def gateway(site: Site, handed: Handed) -> None:
    args = samples.gateway_args(
        site,
        vault_id=handed["vault"],
        component_id=handed["component"],
        connection_string=handed["connection"],
        subnet_id=handed["subnet gateway"],
        purged=True,
    )
    Gateway("main", args)


def messaging(site: Site, handed: Handed) -> None:
    received = {"transaction": handed["principal"]}
    topic = TopicArgs(
        senders={"consent": handed["principal"]},
        subscriptions={
            "transaction": SubscriptionArgs(
                filters={"granted": FilterArgs(properties={"event": "granted"})}, receivers=received, sessions=True
            )
        },
    )
    access = _access(handed, "servicebus.windows.net")
    Messaging("main", samples.messaging_args(site, access=access, key=_key(handed), topics={"consents": topic}))


def monitoring(site: Site, handed: Handed) -> None:
    args = MonitoringArgs(site=site, retention_days=90, sampling_percentage=20, metrics=True, private=True)
    access = _access(handed, "monitor.azure.com")
    Monitoring("main", args).place_endpoints(access, access)


def network(site: Site, handed: Handed) -> None:
    Network("main", network_args(site))


def notifications(site: Site, handed: Handed) -> None:
    access = _access(handed, "servicebus.windows.net")
    Notifications("main", samples.notifications_args(site, access=access))


def registry(site: Site, handed: Handed) -> None:
    Registry("main", registry_args(site, access=_access(handed, "azurecr.io"), key=_key(handed)))


def vault(site: Site, handed: Handed) -> None:
    access = _access(handed, "vaultcore.azure.net")
    args = vault_args(
        site,
        access=access,
        certificates={
            "qwac": CertificateArgs(subject="CN=api.example.com, O=Example, C=DE", hosts=("api.example.com",)),
            "qseal": CertificateArgs(subject="CN=Example, O=Example, C=DE", use="seal"),
        },
        deployer_id=handed["deployer"],
        purge_protection=False,
        soft_delete_days=7,
    )
    made = Vault("main", args)
    made.tell_of_expiry(handed["action group"])


def kept_vault(site: Site, handed: Handed) -> None:
    Vault("main", vault_args(site, access=_access(handed, "vaultcore.azure.net"), certificates={}))


def website(site: Site, handed: Handed) -> None:
    access = _access(handed, "azurewebsites.net")
    WebSite("main", samples.website_args(site, access=access, subnet_id=handed["subnet web"]))


def workload_identity(site: Site, handed: Handed) -> None:
    args = WorkloadIdentityArgs(
        site=site,
        issuer="https://cluster.example",
        namespace="apps",
        service_account="account",
        grants={"reads-secrets": Grant("Key Vault Secrets User", handed["vault"])},
    )
    WorkloadIdentity("account", args)


BLOCKS: dict[str, Callable[[Site, Handed], None]] = {
    each.__name__.replace("_", " "): each
    for each in (
        gateway,
        network,
        functions,
        messaging,
        database,
        cluster,
        alerts,
        edge,
        website,
        notifications,
        vault,
        kept_vault,
        file_store,
        registry,
        workload_identity,
        monitoring,
    )
}
"""Largest first."""
BACKED = {"alerts", "cluster", "database", "file store", "functions", "messaging", "registry"}
"""Those that need a data plane's backend, or are handed something that does."""


def deploy(block: str, suffix: str, handed: Handed) -> None:
    """What the program of a block does. suffix: of global names."""
    use_transforms({}, keep_provider_aliases=False)
    site = Site(
        resource_group=f"rg-{suffix}",
        location=REGION,
        stack="alone",
        suffix=suffix,
        tenant_id=TENANT_ID,
        subscription_id=SUBSCRIPTION_ID,
        tags={"owner": "me"},
        workspace_id=handed["workspace"],
    )
    BLOCKS[block](site, handed)
