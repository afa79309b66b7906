"""Name release: lets the name of a deleted vault or gateway go at once, so that a stack can be deleted and made again.

Leaves out: vaults with purge protection, which keep their name for their whole retention (Azure refuses the purge).
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any, Literal

import pulumi
from pulumi import dynamic

from components.management import PUBLIC_CLOUD, management


@dataclass(frozen=True)
class _Kind:
    """How Azure keeps what was deleted. path: of the deleted ones, within a location. right: that a purge needs."""

    path: str
    version: str
    method: Literal["POST", "DELETE"]
    suffix: str
    right: str


_KINDS = {
    "vault": _Kind(
        "Microsoft.KeyVault/locations/{location}/deletedVaults",
        "2024-11-01",
        "POST",
        "/purge",
        "Microsoft.KeyVault/locations/deletedVaults/purge/action",
    ),
    "gateway": _Kind(
        "Microsoft.ApiManagement/locations/{location}/deletedservices",
        "2024-05-01",
        "DELETE",
        "",
        "Microsoft.ApiManagement/locations/deletedservices/delete",
    ),
}
"""Key Vault REST API, Vaults - Purge Deleted; API Management REST API, Deleted Services - Purge."""
_PATIENCE = 300.0
"""Seconds that a purge may take."""


class _Release(dynamic.ResourceProvider):
    """Does nothing until it is deleted; runs in a process of its own, with the deployer's sign-in."""

    serialize_as_secret_always = False
    host: str = PUBLIC_CLOUD

    def configure(self, req: dynamic.ConfigureRequest) -> None:
        # The same setting that tells azure-native which cloud it is in.
        self.host = req.config.get("azure-native:metadataHost") or PUBLIC_CLOUD

    def create(self, props: dict[str, Any]) -> dynamic.CreateResult:
        return dynamic.CreateResult(props["held"], props)

    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> dynamic.DiffResult:
        moved = [each for each in ("kind", "held", "location", "subscription") if _olds.get(each) != _news.get(each)]
        return dynamic.DiffResult(changes=bool(moved), replaces=moved)

    def delete(self, _id: str, _props: dict[str, Any]) -> None:
        purge(self.host, _props["subscription"], _props["location"], _props["kind"], _props["held"])


def purge(host: str, subscription: str, location: str, kind: str, name: str) -> None:
    """Purges a deleted vault or gateway; nothing happens when there is none.

    host: metadata host of the cloud. Raises RuntimeError when Azure refuses, naming the resource and the answer.
    """
    with management(host) as http:
        known = _KINDS[kind]
        path = known.path.format(location=location)
        deleted = f"/subscriptions/{subscription}/providers/{path}/{name}"
        version = {"api-version": known.version}
        answer = http.request(known.method, f"{deleted}{known.suffix}", params=version)
        if answer.status_code == 404:
            return
        if answer.status_code not in (200, 202, 204):
            raise RuntimeError(
                f"The deleted {kind} {name} can't be purged: Azure answered {answer.status_code}. Purging needs the "
                f"action {known.right}; or wait until its retention is over."
            )
        until = time.monotonic() + _PATIENCE
        while http.get(deleted, params=version).status_code != 404:
            if time.monotonic() > until:
                raise RuntimeError(
                    f"The deleted {kind} {name} is still being purged after {_PATIENCE:.0f} s. Run it again."
                )
            time.sleep(2)


class NameRelease(dynamic.Resource, module="tributary", name="NameRelease"):
    """Made before what holds a name, deleted after it: then it purges what the deletion left."""

    def __init__(
        self,
        name: str,
        kind: Literal["vault", "gateway"],
        held: str,
        location: str,
        subscription: str,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        props = {"kind": kind, "held": held, "location": location, "subscription": subscription}
        super().__init__(_Release(), name, props, opts)
