"""Name release: lets the name of a deleted key vault go at once, so that a stack can be deleted and made again.

Leaves out: vaults with purge protection, which keep their name for their whole retention (Azure refuses the purge).
"""

from __future__ import annotations

import ssl
import time
from typing import Any

import pulumi
from pulumi import dynamic

_VERSION = "2024-11-01"
_PATIENCE = 300.0
"""Seconds that a purge may take."""


class _Release(dynamic.ResourceProvider):
    """Does nothing until it is deleted; runs in a process of its own, with the deployer's sign-in."""

    serialize_as_secret_always = False
    host: str = "management.azure.com"

    def configure(self, req: dynamic.ConfigureRequest) -> None:
        # The same setting that tells azure-native which cloud it is in.
        self.host = req.config.get("azure-native:metadataHost") or "management.azure.com"

    def create(self, props: dict[str, Any]) -> dynamic.CreateResult:
        return dynamic.CreateResult(props["vault"], props)

    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> dynamic.DiffResult:
        moved = [each for each in ("vault", "location", "subscription") if _olds.get(each) != _news.get(each)]
        return dynamic.DiffResult(changes=bool(moved), replaces=moved)

    def delete(self, _id: str, _props: dict[str, Any]) -> None:
        purge(self.host, _props["subscription"], _props["location"], _props["vault"])


def purge(host: str, subscription: str, location: str, vault: str) -> None:
    """Purges a deleted vault; nothing happens when there is none (Key Vault REST API, Vaults - Purge Deleted).

    host: metadata host of the cloud. Raises RuntimeError when Azure refuses, naming vault and answer.
    """
    # Imported here, as only a deletion needs them: the program that declares the resource does not sign in.
    import httpx
    from azure.identity import DefaultAzureCredential

    with httpx.Client(verify=ssl.create_default_context(), timeout=60) as http:
        cloud = http.get(f"https://{host}/metadata/endpoints", params={"api-version": "2022-09-01"})
        cloud.raise_for_status()
        manager = cloud.json()["resourceManager"].rstrip("/")
        with DefaultAzureCredential(disable_instance_discovery=True) as credential:
            token = credential.get_token(f"{cloud.json()['authentication']['audiences'][0].rstrip('/')}/.default").token
        http.headers["Authorization"] = f"Bearer {token}"
        deleted = f"{manager}/subscriptions/{subscription}/providers/Microsoft.KeyVault/locations/{location}"
        deleted += f"/deletedVaults/{vault}"
        answer = http.post(f"{deleted}/purge", params={"api-version": _VERSION})
        if answer.status_code == 404:
            return
        if answer.status_code not in (200, 202, 204):
            raise RuntimeError(
                f"Key vault {vault} can't be purged: Azure answered {answer.status_code}. Purging needs the action "
                "Microsoft.KeyVault/locations/deletedVaults/purge/action; or wait until its retention is over."
            )
        until = time.monotonic() + _PATIENCE
        while http.get(deleted, params={"api-version": _VERSION}).status_code != 404:
            if time.monotonic() > until:
                raise RuntimeError(f"Key vault {vault} is still being purged after {_PATIENCE:.0f} s. Run it again.")
            time.sleep(2)


class NameRelease(dynamic.Resource, module="tributary", name="NameRelease"):
    """Made before a vault, deleted after it: then it purges what the deletion left."""

    def __init__(
        self, name: str, vault: str, location: str, subscription: str, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        props = {"vault": vault, "location": location, "subscription": subscription}
        super().__init__(_Release(), name, props, opts)
