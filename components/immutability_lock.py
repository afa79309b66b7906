"""Immutability lock: makes a container's retention policy final. Nobody can shorten or remove it afterwards.

azure-native makes the policy, but can't lock it: that is an action (Storage REST API 2024-01-01, Blob Containers - Lock
Immutability Policy).
"""

from __future__ import annotations

from typing import Any

import pulumi
from pulumi import dynamic

from components.management import PUBLIC_CLOUD, management

_VERSION = "2024-01-01"


class _Lock(dynamic.ResourceProvider):
    """Locks once; there is nothing to undo."""

    serialize_as_secret_always = False
    host: str = PUBLIC_CLOUD

    def configure(self, req: dynamic.ConfigureRequest) -> None:
        # The same setting that tells azure-native which cloud it is in.
        self.host = req.config.get("azure-native:metadataHost") or PUBLIC_CLOUD

    def create(self, props: dict[str, Any]) -> dynamic.CreateResult:
        finalise(self.host, props["policy"])
        return dynamic.CreateResult(props["policy"], props)

    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> dynamic.DiffResult:
        moved = _olds.get("policy") != _news.get("policy")
        return dynamic.DiffResult(changes=moved, replaces=["policy"] if moved else [])


def finalise(host: str, policy: str) -> None:
    """Locks a policy; one that is locked stays so. policy: its resource id. Raises RuntimeError when Azure refuses."""
    with management(host) as http:
        now = http.get(policy, params={"api-version": _VERSION})
        now.raise_for_status()
        if now.json()["properties"].get("state") == "Locked":
            return
        # Only the policy that was looked at is locked.
        matches = {"If-Match": now.json().get("etag") or now.headers.get("ETag", "*")}
        answer = http.post(f"{policy}/lock", params={"api-version": _VERSION}, headers=matches)
        if answer.status_code != 200:
            raise RuntimeError(
                f"The retention policy {policy} can't be locked: Azure answered {answer.status_code}. That needs the "
                "action Microsoft.Storage/storageAccounts/blobServices/containers/immutabilityPolicies/lock/action."
            )


class ImmutabilityLock(dynamic.Resource, module="tributary", name="ImmutabilityLock"):
    """Made after a policy. policy: its resource id."""

    def __init__(self, name: str, policy: pulumi.Input[str], opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(_Lock(), name, {"policy": policy}, opts)
