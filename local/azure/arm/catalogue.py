"""What ARM says about itself: cloud metadata, tenants, the subscription, resource providers, operations."""

from __future__ import annotations

import sqlite3
from collections import defaultdict

from aiohttp import web

from local.azure.arm.answers import base_url, rendered
from local.azure.arm.lifecycle import Lifecycle
from local.azure.arm.regions import REGIONS
from local.azure.arm.rules import subscription_not_found
from local.azure.arm.types import all_types
from local.azure.context import ArmError, Body
from local.instance import SUBSCRIPTION_ID, TENANT_ID, Instance


def metadata(instance: Instance, version: str) -> Body | list[Body]:
    """The cloud's endpoints (``/metadata/endpoints``): one cloud up to 2018, a list of clouds in 2019 to 2021,
    and one cloud again from 2022 on, as azure-native's go-azure-sdk reads it."""
    here = f"https://{instance.arm}"
    cloud: Body = {
        "name": "Tributary",
        "portal": here,
        "authentication": {
            "loginEndpoint": here,
            "audiences": ["https://management.core.windows.net/", "https://management.azure.com/"],
            "tenant": TENANT_ID,
            "identityProvider": "AAD",
        },
        "resourceManager": here,
        "graph": here,
        "graphAudience": "https://graph.microsoft.com/",
        "microsoftGraphResourceId": "https://graph.microsoft.com/",
        "activeDirectoryDataLake": "https://datalake.azure.net/",
        "batch": "https://batch.core.windows.net/",
        "media": "https://rest.media.azure.net",
        "gallery": here,
        "sqlManagement": here,
        "suffixes": {
            "keyVaultDns": f"vault.{instance.arm}",
            "storage": f"core.{instance.arm}",
            "acrLoginServer": f"azurecr.{instance.arm}",
            "sqlServerHostname": f".database.{instance.arm}",
            "mhsmDns": f"managedhsm.{instance.arm}",
        },
    }
    if version < "2019":
        return {
            "galleryEndpoint": here,
            "graphEndpoint": here,
            "portalEndpoint": here,
            "authentication": {"loginEndpoint": here, "audiences": cloud["authentication"]["audiences"]},
        }
    return [cloud] if version < "2022" else cloud


def subscription() -> Body:
    """The one subscription."""
    return {
        "id": f"/subscriptions/{SUBSCRIPTION_ID}",
        "subscriptionId": SUBSCRIPTION_ID,
        "tenantId": TENANT_ID,
        "displayName": "Tributary local",
        "state": "Enabled",
        "subscriptionPolicies": {"locationPlacementId": "Local", "quotaId": "Local", "spendingLimit": "Off"},
        "authorizationSource": "RoleBased",
    }


def tenant() -> Body:
    """The one tenant."""
    return {"id": f"/tenants/{TENANT_ID}", "tenantId": TENANT_ID, "displayName": "Tributary local", "tenantType": "AAD"}


class Providers:
    """Resource providers: what the table holds, and whether they are registered."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database

    def describe(self, namespace: str) -> Body:
        """One provider and its types' API versions. Raises ArmError 404."""
        listed: dict[str, set[str]] = defaultdict(set)
        proper = namespace
        for kind in all_types():
            space, rest = kind.type.split("/", 1)
            if space.lower() == namespace.lower():
                proper = space
                listed[rest] |= {kind.version, *kind.versions}
        if not listed:
            raise ArmError(404, "InvalidResourceNamespace", f"The resource namespace '{namespace}' is invalid.")
        row = self._database.execute(
            "SELECT state FROM registrations WHERE namespace = ?", (namespace.lower(),)
        ).fetchone()
        return {
            "id": f"/subscriptions/{SUBSCRIPTION_ID}/providers/{proper}",
            "namespace": proper,
            "registrationPolicy": "RegistrationRequired",
            "registrationState": row["state"] if row else "Registered",
            "resourceTypes": [
                {
                    "resourceType": name,
                    "locations": sorted(REGIONS),
                    "apiVersions": sorted(versions, reverse=True),
                    "capabilities": "SupportsTags, SupportsLocation",
                }
                for name, versions in sorted(listed.items())
            ],
        }

    def all(self) -> list[Body]:
        """Every provider."""
        return [self.describe(space) for space in sorted({kind.type.split("/")[0] for kind in all_types()})]

    def register(self, namespace: str, state: str) -> Body:
        """Set a provider's registration state. Nothing depends on it. Raises ArmError 404."""
        self.describe(namespace)
        self._database.execute(
            "INSERT INTO registrations VALUES (?, ?) ON CONFLICT (namespace) DO UPDATE SET state = excluded.state",
            (namespace.lower(), state),
        )
        return self.describe(namespace)


def operation(request: web.Request, lifecycle: Lifecycle, identity: str, *, result: bool) -> web.Response:
    """A poll of a long-running operation: its status, or (``result``) what the request would have answered."""
    found = lifecycle.operations.get(identity)
    if found is None:
        raise ArmError(404, "NotFound", f"There is no operation '{identity}'.")
    waiting = {"Retry-After": "1", "retry-after-ms": "100"} if found.status == "InProgress" else {}
    if not result:
        return web.json_response(found.answer(request.path), headers=waiting)
    if waiting:
        return web.Response(status=202, headers=waiting | {"Location": base_url(request) + str(request.rel_url)})
    if found.error:
        return web.json_response({"error": found.error}, status=409)
    resource = lifecycle.store.get(found.resource)
    if found.kind == "delete" or resource is None:
        return web.Response(status=204 if found.kind == "delete" else 404)
    return web.json_response(rendered(resource, lifecycle.store))


def check_subscription(path: str) -> None:
    """Raises ArmError 404 SubscriptionNotFound for another subscription than the local one."""
    parts = path.strip("/").split("/")
    if parts[0].lower() == "subscriptions" and len(parts) > 1 and parts[1].lower() != SUBSCRIPTION_ID:
        raise subscription_not_found(parts[1])
