"""Soft deletion: a deleted vault or API Management service holds its name until it is purged or recovered.

Key Vault REST API, deletedVaults; API Management REST API, deletedservices.
"""

from __future__ import annotations

import datetime
import json
from typing import Any

from local.azure.arm.ids import canonical
from local.azure.arm.store import LocalStore
from local.azure.arm.types import Type, plain_location
from local.azure.context import ArmError, Body, Resource
from local.instance import SUBSCRIPTION_ID

_COLLECTIONS = {
    "microsoft.keyvault/vaults": "Microsoft.KeyVault/deletedVaults",
    "microsoft.apimanagement/service": "Microsoft.ApiManagement/deletedservices",
}
"""Which types' deleted resources can be listed, and as which type."""

_DAYS = {"microsoft.apimanagement/service": 2}
"""How long a name is held where the resource does not say, if not for 90 days."""


class Deleted:
    """What is soft-deleted."""

    def __init__(self, store: LocalStore) -> None:
        self._store = store

    def keep(self, resource: Resource, below: list[Resource]) -> None:
        """Remember a resource as it is deleted, with what lies below it."""
        now = datetime.datetime.now(datetime.UTC)
        days = int(resource.properties.get("softDeleteRetentionInDays") or _DAYS.get(resource.type.lower(), 90))
        self._store.database.execute(
            "INSERT OR REPLACE INTO deleted VALUES (?,?,?,?,?,?,?,?,?)",
            (
                canonical(resource.id),
                resource.type.lower(),
                resource.name.lower(),
                plain_location(str(resource.body.get("location", ""))),
                resource.id,
                json.dumps(resource.body),
                now.isoformat(),
                (now + datetime.timedelta(days=days)).isoformat(),
                json.dumps([[each.id, each.type, each.body] for each in below]),
            ),
        )

    def holds(self, kind: Type, name: str) -> bool:
        """Whether a deleted resource of the type still has this name."""
        return self._row(kind.type, name) is not None

    def refuse_held(self, kind: Type, resource: Resource) -> None:
        """Raises ArmError 409 ConflictError when a deleted resource holds the new one's name."""
        if self.holds(kind, resource.name):
            raise ArmError(
                409,
                "ConflictError",
                f"A resource of {kind.type} with the name '{resource.name}' already exists in deleted state. You need "
                "to either recover it (createMode 'recover') or purge it before reusing the name.",
            )

    def recover(self, kind: Type, resource: Resource) -> tuple[Resource, list[Resource]]:
        """What a recovered resource and everything below it were. Raises ArmError 404 when nothing is held."""
        row = self._row(kind.type, resource.name)
        if row is None or row["key"] != canonical(resource.id):
            raise ArmError(404, "DeletedVaultNotFound", f"No deleted resource {resource.id} can be recovered.")
        tree = [Resource(i, i.rsplit("/", 1)[1], t, b) for i, t, b in json.loads(row["tree"])]
        return Resource(row["id"], resource.name, kind.type, json.loads(row["body"])), tree

    def forget(self, resource_id: str) -> None:
        """Release the name."""
        self._store.database.execute("DELETE FROM deleted WHERE key = ?", (canonical(resource_id),))

    def list(self, type_name: str) -> list[Body]:
        """Every deleted resource of a type, as ARM answers it."""
        rows = self._store.database.execute(
            "SELECT * FROM deleted WHERE type_key = ? ORDER BY key", (type_name.lower(),)
        )
        return [_answer(row) for row in rows]

    def get(self, type_name: str, location: str, name: str) -> tuple[Resource, Body]:
        """One of them and its answer. Raises ArmError 404."""
        row = self._row(type_name, name)
        if row is None or row["location"] != plain_location(location):
            what = "service" if type_name.endswith("/service") else "vault"
            raise ArmError(
                404, f"Deleted{what.title()}NotFound", f"The specified deleted {what} '{name}' does not exist."
            )
        return Resource(row["id"], name, type_name, json.loads(row["body"])), _answer(row)

    def _row(self, type_name: str, name: str) -> Any:
        return self._store.database.execute(
            "SELECT * FROM deleted WHERE type_key = ? AND name_key = ?", (type_name.lower(), name.lower())
        ).fetchone()


def collection_type(namespace: str, collection: str) -> str | None:
    """The type whose deleted resources a collection such as "deletedVaults" lists."""
    wanted = f"{namespace}/{collection}".lower()
    return next((each for each, deleted in _COLLECTIONS.items() if deleted.lower() == wanted), None)


def refuse_protected(resource: Resource) -> None:
    """Raises ArmError 405 when a deleted vault may not be purged before its time."""
    if resource.properties.get("enablePurgeProtection"):
        raise ArmError(
            405,
            "MethodNotAllowed",
            f"Operation 'DeletedVaultPurge' is not allowed: '{resource.name}' has purge protection. "
            "Recover it, or wait for its scheduled purge.",
        )


def _answer(row: Any) -> Body:
    body = json.loads(row["body"])
    deleted = _COLLECTIONS[row["type_key"]]
    namespace, named = deleted.split("/")
    name = row["id"].rsplit("/", 1)[1]
    root = f"/subscriptions/{SUBSCRIPTION_ID}/providers/{namespace}/locations/{row['location']}"
    answer = {"id": f"{root}/{named}/{name}", "name": name, "type": deleted}
    dates = {"deletionDate": row["deleted"], "scheduledPurgeDate": row["purge"]}
    if namespace == "Microsoft.ApiManagement":
        return {**answer, "location": row["location"], "properties": {"serviceId": row["id"], **dates}}
    return {
        **answer,
        "properties": {
            "vaultId": row["id"],
            "location": row["location"],
            "tags": body.get("tags") or {},
            **dates,
            "purgeProtectionEnabled": bool((body.get("properties") or {}).get("enablePurgeProtection")),
        },
    }
