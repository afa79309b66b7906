"""State: where Pulumi keeps the stacks' states, a container and a key a stack, so that one can't read another's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
from pulumi_azure_native import keyvault, storage

from bootstrap.settings import Settings
from components.common import Site
from components.file_store import FileStore, FileStoreArgs
from components.vault import Vault, VaultArgs

OWN = "bootstrap"
"""Place of the bootstrap's own state."""
_RETENTION_DAYS = 90


@dataclass(frozen=True)
class Place:
    """One stack's. backend: what `pulumi login` takes. secrets_provider: what `pulumi stack init` takes."""

    container_id: pulumi.Output[str]
    key_id: pulumi.Output[str]
    backend: pulumi.Output[str]
    secrets_provider: pulumi.Output[str]


@dataclass(frozen=True)
class State:
    """The store and the vault, and each stack's place in them, that of the bootstrap under OWN."""

    store: FileStore
    vault: Vault
    places: Mapping[str, Place]


def make_state(site: Site, settings: Settings, subnet_ids: Sequence[pulumi.Input[str]]) -> State:
    """The store and the vault, reached from the runner's subnet and from the allowed addresses."""
    store = FileStore(
        "state",
        FileStoreArgs(
            site=site,
            replication="Standard_ZRS",
            soft_delete_days=_RETENTION_DAYS,
            containers={},
            subnet_ids=subnet_ids,
            allowed_addresses=settings.allowed_addresses,
        ),
    )
    vault = Vault(
        "state",
        VaultArgs(
            site=site,
            sku="standard",
            purge_protection=settings.purge_protection,
            soft_delete_days=_RETENTION_DAYS,
            subnet_ids=subnet_ids,
            allowed_addresses=settings.allowed_addresses,
        ),
    )
    places = {stack: _place(stack, store, vault, site) for stack in (*settings.environments, OWN)}
    return State(store, vault, places)


def _place(stack: str, store: FileStore, vault: Vault, site: Site) -> Place:
    container = storage.BlobContainer(
        f"state-{stack}",
        container_name=f"state-{stack}",
        account_name=store.account_id.apply(_last),
        resource_group_name=site.resource_group,
        public_access=storage.PublicAccess.NONE,
        opts=pulumi.ResourceOptions(parent=store),
    )
    # Pulumi's provider of secrets encrypts with the key itself (gocloud.dev/secrets/azurekeyvault), and wraps nothing.
    key = keyvault.Key(
        f"pulumi-{stack}",
        key_name=f"pulumi-{stack}",
        vault_name=vault.vault_id.apply(_last),
        resource_group_name=site.resource_group,
        properties=keyvault.KeyPropertiesArgs(kty="RSA", key_size=3072, key_ops=["encrypt", "decrypt"]),
        tags=site.tags,
        opts=pulumi.ResourceOptions(parent=vault),
    )
    host = vault.uri.apply(lambda uri: uri.removeprefix("https://").rstrip("/"))
    return Place(
        container_id=container.id,
        key_id=key.id,
        backend=pulumi.Output.concat("azblob://", container.name, "?storage_account=", store.account_id.apply(_last)),
        secrets_provider=pulumi.Output.concat("azurekeyvault://", host, "/keys/", key.name),
    )


def _last(resource_id: str) -> str:
    return resource_id.rsplit("/", 1)[-1]
