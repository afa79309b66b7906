"""Data: the vault, the registry, the stores and the databases, made as the settings say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

import pulumi

from components.common import PrivateAccess, Site
from components.customer_key import CustomerKey
from components.database import Database, DatabaseArgs
from components.database_backups import RetentionArgs
from components.database_failover import SecondaryArgs
from components.database_protection import ProtectionArgs
from components.database_server import PoolArgs
from components.file_containers import ContainerArgs
from components.file_store import FileStore, FileStoreArgs
from components.network import Network
from components.registry import Registry, RegistryArgs
from components.vault import Vault, VaultArgs
from components.vault_certificate import CertificateArgs
from components.vault_key import KeyArgs
from stacks.network import BLOB_ZONE, QUEUE_ZONE, REGISTRY_ZONE, SQL_ZONE, TABLE_ZONE, VAULT_ZONE, access
from stacks.sections.foundation import UNZONED, partner
from stacks.settings import Settings

DATA_KEY = "user-data"
"""The vault's key that wraps the keys of users' data; the chassis looks for it by this name."""
SEAL_KEY = "seal"
"""The vault's key of the qualified seal (QSealC)."""
QWAC, QSEAL = "qwac", "qseal"
"""The vault's certificates that the connector shows to banks, and signs with."""
PUSH_LISTEN, PUSH_SEND = "push-listen", "push-send"
"""The vault's secrets that hold the connection strings of the notification hub's rules."""
EVIDENCE = "audit"
"""Container of the evidence."""
UPLOADS, UNDELIVERED = "uploads", "undelivered"
"""Containers of the uploads' account: files, and events that nobody took."""
_ZONES = {"blob": BLOB_ZONE, "queue": QUEUE_ZONE, "table": TABLE_ZONE}
_CUSTOMER_KEYS = ("databases", "files", "images", "messages")
"""Keys that data at rest is encrypted with, where the safeguards want that."""


def make_vault(settings: Settings, site: Site, network: Network, deployer_id: str) -> Vault:
    """The vault, its keys and certificates. deployer_id: object id of who deploys, who asks for the certificates."""
    wanted, hardware = settings.vault, settings.vault.sku == "premium"
    wrapping = (DATA_KEY, *(_CUSTOMER_KEYS if settings.safeguards.customer_keys else ()))
    keys = {name: KeyArgs(hardware=hardware, rotate_days=wanted.rotate_days) for name in wrapping}
    if wanted.seal_expires:
        keys[SEAL_KEY] = KeyArgs(use="sign", hardware=hardware, expires=date.fromisoformat(wanted.seal_expires))
    return Vault(
        "main",
        VaultArgs(
            site=site,
            sku=wanted.sku,
            purge_protection=wanted.purge_protection,
            soft_delete_days=wanted.soft_delete_days,
            access=_private(settings, network, VAULT_ZONE),
            subnet_ids=_by_service_endpoint(settings, network),
            allowed_addresses=wanted.allowed_addresses,
            keys=keys,
            certificates={
                name: CertificateArgs(subject=each.subject, use=each.use, hosts=tuple(each.hosts))
                for name, each in wanted.certificates.items()
            },
            deployer_id=deployer_id,
            locked=settings.safeguards.locked,
        ),
    )


def customer_key(settings: Settings, vault: Vault, name: str) -> CustomerKey | None:
    """A key of the vault to encrypt data with; None where the safeguards leave that to Microsoft's keys."""
    return vault.customer_key(name) if settings.safeguards.customer_keys else None


def make_registry(settings: Settings, site: Site, network: Network, vault: Vault) -> Registry:
    """The registry of the services' images."""
    wanted = settings.registry
    return Registry(
        "main",
        RegistryArgs(
            site=site,
            sku=wanted.sku,
            zone_redundant=wanted.zone_redundant,
            retention_days=wanted.retention_days,
            replicas=_replicas(site.location, zone_redundant=wanted.zone_redundant) if wanted.replicated else {},
            cached=wanted.cached,
            access=_private(settings, network, REGISTRY_ZONE),
            key=customer_key(settings, vault, "images"),
            locked=settings.safeguards.locked,
        ),
    )


def _replicas(location: str, *, zone_redundant: bool) -> dict[str, bool]:
    second = partner(location)
    return {second: zone_redundant and second not in UNZONED}


def make_uploads(settings: Settings, site: Site, network: Network, vault: Vault) -> FileStore:
    """What users upload: it can be erased. Events of it that nobody took are kept a month."""
    containers = {UPLOADS: ContainerArgs(cool_days=90), UNDELIVERED: ContainerArgs(delete_days=30)}
    return make_store("files", containers, settings, site, network, vault)


def make_evidence(settings: Settings, site: Site, network: Network, vault: Vault) -> FileStore:
    """Evidence for auditors: it can't, so it is in an account of its own, and holds no personal data."""
    days = settings.storage.evidence_days
    evidence = ContainerArgs(immutable_days=days, final=days > 0)
    return make_store("evidence", {EVIDENCE: evidence}, settings, site, network, vault)


def make_database(settings: Settings, site: Site, network: Network, vault: Vault, databases: Sequence[str]) -> Database:
    """The SQL server and its databases."""
    wanted, pool = settings.database, settings.database.elastic_pool
    endpoint = access(network, SQL_ZONE)
    return Database(
        "main",
        DatabaseArgs(
            site=site,
            databases=databases,
            ledger=[each for each in databases if each == EVIDENCE and settings.storage.evidence_days],
            sku=wanted.sku,
            zone_redundant=wanted.zone_redundant,
            backup_redundancy=wanted.backup_redundancy,
            pool=PoolArgs(**pool.model_dump()) if pool else None,
            access=endpoint,
            key=customer_key(settings, vault, "databases"),
            protection=ProtectionArgs(emails=sorted(settings.alerts.emails.values())) if wanted.protected else None,
            retention=RetentionArgs(**wanted.retention.model_dump()) if wanted.retention else None,
            maintenance=wanted.maintenance,
            secondary=_secondary(site.location, endpoint) if wanted.replicated else None,
            locked=settings.safeguards.locked,
        ),
    )


def _secondary(location: str, endpoint: PrivateAccess) -> SecondaryArgs:
    second = partner(location)
    return SecondaryArgs(location=second, access=endpoint, zone_redundant=second not in UNZONED)


def make_store(
    name: str,
    containers: Mapping[str, ContainerArgs],
    settings: Settings,
    site: Site,
    network: Network,
    vault: Vault,
    services: Sequence[str] = ("blob",),
    *,
    closed: bool = False,
) -> FileStore:
    """A storage account. services: its sub-services in use. closed: has private endpoints in every stack."""
    private = settings.network.private or closed
    return FileStore(
        name,
        FileStoreArgs(
            site=site,
            replication=settings.storage.replication,
            soft_delete_days=settings.storage.soft_delete_days,
            containers=containers,
            access={each: access(network, _ZONES[each]) for each in services} if private else {},
            subnet_ids=[] if private else _by_service_endpoint(settings, network),
            key=customer_key(settings, vault, "files"),
            locked=settings.safeguards.locked,
        ),
    )


def _private(settings: Settings, network: Network, zone: str) -> PrivateAccess | None:
    return access(network, zone) if settings.network.private else None


def _by_service_endpoint(settings: Settings, network: Network) -> list[pulumi.Output[str]]:
    return [] if settings.network.private else [network.subnet_ids["cluster"]]
