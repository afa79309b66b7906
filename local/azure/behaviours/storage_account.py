"""What storage accounts and their containers, queues and tables do beyond being stored: they exist in Azurite."""

from __future__ import annotations

import datetime
from typing import Any, ClassVar

from local.azure.context import ArmError, Behaviour, Body, Resource
from local.azure.dataplanes.storage.plane import plane_of
from local.azure.dataplanes.storage.sas import encoded

_KEYS = ("key1", "key2")
_NO_CORS: Body = {"cors": {"corsRules": []}}
_SERVICES: dict[str, Body] = {
    "blobServices": {**_NO_CORS, "deleteRetentionPolicy": {"allowPermanentDelete": False, "enabled": False}},
    "fileServices": _NO_CORS,
    "queueServices": _NO_CORS,
    "tableServices": _NO_CORS,
}
"""The services that every account has from the start, each by the name "default"."""


class StorageAccount(Behaviour):
    """An account: its endpoints and keys; its data goes with it."""

    type = "Microsoft.Storage/storageAccounts"

    async def put(self, resource: Resource, previous: Resource | None) -> Body:
        """Bring its services along, and answer where they are."""
        plane = plane_of(self.azure)
        if plane.accounts.left(resource.name):
            await plane.empty(resource.name)
            plane.accounts.cleared(resource.name)
        for service, properties in _SERVICES.items():
            identity = f"{resource.id}/{service}/default"
            if self.azure.store.get(identity) is None:
                self.azure.store.put(
                    Resource(identity, "default", f"{self.type}/{service}", {"properties": properties})
                )
        created = plane.accounts.keys(resource.id).created
        return {
            "primaryEndpoints": plane.endpoints(resource.name),
            "primaryLocation": str(resource.body.get("location", "")).replace(" ", "").lower(),
            "statusOfPrimary": "available",
            "creationTime": _shown(min(created)),
            "keyCreationTime": dict(zip(_KEYS, map(_shown, created), strict=True)),
        }

    async def delete(self, resource: Resource) -> None:
        """Remove what it holds, and its keys."""
        plane = plane_of(self.azure)
        try:
            await plane.empty(resource.name)
        except ArmError as refused:
            if refused.status != 503:
                raise
            plane.accounts.leave(resource.name)  # Azurite is down: before the name is used again
        plane.accounts.forget(resource.id)

    async def act(self, resource: Resource, action: str, body: Body) -> Body:
        """ "listKeys", "regenerateKey" and "revokeUserDelegationKeys"."""
        accounts = plane_of(self.azure).accounts
        match action.lower():
            case "listkeys":
                return self._keys(resource)
            case "regeneratekey":
                if body.get("keyName") not in _KEYS:
                    raise ArmError(
                        400,
                        "InvalidValuesForRequestParameters",
                        f"Values for request parameters are invalid: keyName is {body.get('keyName')!r}; allowed: "
                        f"{', '.join(_KEYS)}.",
                        "keyName",
                    )
                accounts.regenerate(resource.id, body["keyName"])
                return self._keys(resource)
            case "revokeuserdelegationkeys":
                accounts.regenerate(resource.id, "delegation")
                return {}
        return await super().act(resource, action, body)

    def _keys(self, resource: Resource) -> Body:
        keys = plane_of(self.azure).accounts.keys(resource.id)
        listed = zip(_KEYS, (keys.key1, keys.key2), keys.created, strict=True)
        return {
            "keys": [
                {"keyName": name, "value": encoded(key), "permissions": "FULL", "creationTime": _shown(created)}
                for name, key, created in listed
            ]
        }


class _Child(Behaviour):
    """Something within an account that ARM makes: idempotent, and gone when ARM deletes it."""

    service: ClassVar[str]

    def _account(self, resource: Resource) -> str:
        parts = resource.id.split("/")
        return parts[[part.lower() for part in parts].index("storageaccounts") + 1]

    async def _call(self, resource: Resource, method: str, path: str, expected: tuple[int, ...], **more: Any) -> str:
        return await plane_of(self.azure).call(
            self.service, method, f"/{self._account(resource)}/{path}", expected, **more
        )


class BlobContainer(_Child):
    """A blob container."""

    type = "Microsoft.Storage/storageAccounts/blobServices/containers"
    service = "blob"

    async def check(self, resource: Resource, previous: Resource | None) -> None:
        """Public access needs an account that permits it."""
        account = self.azure.store.get(resource.id.rsplit("/", 4)[0])
        public = resource.properties.get("publicAccess") or "None"
        if public != "None" and account and account.properties.get("allowBlobPublicAccess") is not True:
            raise ArmError(
                409,
                "PublicAccessNotPermitted",
                "Public access is not permitted on this storage account.",
                "properties.publicAccess",
            )

    async def put(self, resource: Resource, previous: Resource | None) -> Body:
        """Create it, and bring metadata and public access to what is wanted."""
        properties = resource.properties
        await self._call(resource, "PUT", f"{resource.name}?restype=container", (201, 409))
        metadata = {f"x-ms-meta-{name}": value for name, value in (properties.get("metadata") or {}).items()}
        await self._call(resource, "PUT", f"{resource.name}?restype=container&comp=metadata", (200,), headers=metadata)
        access = {"Blob": "blob", "Container": "container"}.get(properties.get("publicAccess") or "None")
        await self._call(
            resource,
            "PUT",
            f"{resource.name}?restype=container&comp=acl",
            (200,),
            headers={"x-ms-blob-public-access": access} if access else {},
        )
        return {
            "leaseState": "Available",
            "leaseStatus": "Unlocked",
            "hasImmutabilityPolicy": False,
            "hasLegalHold": False,
            "deleted": False,
            "publicAccess": properties.get("publicAccess") or "None",
        }

    async def delete(self, resource: Resource) -> None:
        """Remove it with its blobs."""
        await self._call(resource, "DELETE", f"{resource.name}?restype=container", (202, 404))


class ImmutabilityPolicy(Behaviour):
    """A container's retention policy. Kept and lockable; Azurite enforces none."""

    type = "Microsoft.Storage/storageAccounts/blobServices/containers/immutabilityPolicies"

    async def check(self, resource: Resource, previous: Resource | None) -> None:
        """Refuse to change a locked one."""
        if previous and previous.properties.get("state") == "Locked":
            days = "immutabilityPeriodSinceCreationInDays"
            if previous.properties.get(days) != resource.properties.get(days):
                raise ArmError(412, "ImmutabilityPolicyLocked", f"{resource.id} is locked: it can only be extended.")

    async def put(self, resource: Resource, previous: Resource | None) -> Body:
        """It starts unlocked."""
        return {"state": (previous.properties.get("state") if previous else None) or "Unlocked"}

    async def act(self, resource: Resource, action: str, body: Body) -> Body:
        """The action lock, which nothing undoes."""
        if action.lower() != "lock":
            return await super().act(resource, action, body)
        self.azure.store.merge(resource.id, {"state": "Locked"})
        return {"properties": {**resource.properties, "state": "Locked"}}


class Queue(_Child):
    """A queue."""

    type = "Microsoft.Storage/storageAccounts/queueServices/queues"
    service = "queue"

    async def put(self, resource: Resource, previous: Resource | None) -> Body:
        """Create it, and set its metadata."""
        metadata = {f"x-ms-meta-{name}": value for name, value in (resource.properties.get("metadata") or {}).items()}
        await self._call(resource, "PUT", resource.name, (201, 204, 409))
        await self._call(resource, "PUT", f"{resource.name}?comp=metadata", (204,), headers=metadata)
        return {}

    async def delete(self, resource: Resource) -> None:
        """Remove it with its messages."""
        await self._call(resource, "DELETE", resource.name, (204, 404))


class Table(_Child):
    """A table."""

    type = "Microsoft.Storage/storageAccounts/tableServices/tables"
    service = "table"

    async def put(self, resource: Resource, previous: Resource | None) -> Body:
        """Create it."""
        await self._call(resource, "POST", "Tables", (201, 204, 409), body={"TableName": resource.name})
        return {"tableName": resource.name}

    async def delete(self, resource: Resource) -> None:
        """Remove it with its entities."""
        await self._call(resource, "DELETE", f"Tables('{resource.name}')", (204, 404))


def _shown(seconds: int) -> str:
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC).strftime("%Y-%m-%dT%H:%M:%S.0000000Z")
