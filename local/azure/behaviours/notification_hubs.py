"""Microsoft.NotificationHubs: a namespace listens at a port of its own, hubs hold devices, rules have two keys each."""

from __future__ import annotations

import base64
import secrets

from local.azure.arm.shapes import UNKNOWN
from local.azure.context import ArmError, Behaviour, Body, Resource
from local.azure.dataplanes.notificationhubs import access
from local.azure.dataplanes.notificationhubs.installations import time_to_live
from local.azure.dataplanes.notificationhubs.listener import close_namespace, open_namespace, store_of

_KEYS = ("primaryKey", "secondaryKey")


class Namespace(Behaviour):
    """A namespace (REST API 2023-10-01-preview): its data plane, addressed by ``serviceBusEndpoint``."""

    type = access.NAMESPACE

    async def put(self, resource: Resource, previous: Resource | None) -> Body:
        """Open its listener."""
        return {"serviceBusEndpoint": await open_namespace(self.azure, resource)}

    async def restore(self, resource: Resource) -> None:
        """Open its listener again."""
        await open_namespace(self.azure, resource)

    async def delete(self, resource: Resource) -> None:
        """Close its listener."""
        await close_namespace(self.azure, resource)


class NotificationHub(Behaviour):
    """A hub: devices are known to its data plane alone, for as long as it says."""

    type = access.HUB

    async def check(self, resource: Resource, previous: Resource | None) -> None:
        """How long devices are known is a time span."""
        told = resource.properties.get("registrationTtl")
        try:
            if told not in (None, UNKNOWN):
                time_to_live(str(told))
        except ValueError as error:
            raise ArmError(400, "BadRequest", f"registrationTtl: {error}", "properties.registrationTtl") from None

    async def delete(self, resource: Resource) -> None:
        """Forget its devices, and what was pushed to them."""
        store_of(self.azure).forget(resource.id.lower())


class _Rule(Behaviour):
    """A shared access rule."""

    async def put(self, resource: Resource, previous: Resource | None) -> Body:
        """Make its two keys, which it keeps."""
        kept = {**(previous.properties if previous else {}), **resource.properties}
        keys = {name: kept.get(name) or _key() for name in _KEYS}
        return {"keyName": resource.name, "claimType": "SharedAccessKey", "claimValue": "None", **keys}

    async def act(self, resource: Resource, action: str, body: Body) -> Body:
        """listKeys, and regenerateKeys of one of the two."""
        if action.lower() == "regeneratekeys":
            resource = self._regenerate(resource, str(body.get("policyKey", "")))
        elif action.lower() != "listkeys":
            return await super().act(resource, action, body)
        keys = {name: resource.properties[name] for name in _KEYS}
        strings = {
            name.replace("Key", "ConnectionString"): self._connection(resource, key) for name, key in keys.items()
        }
        return {"keyName": resource.name, **keys, **strings}

    def _regenerate(self, resource: Resource, which: str) -> Resource:
        name = f"{which[:1].lower()}{which[1:]}"
        if name not in _KEYS:
            raise ArmError(
                400, "BadRequest", f"policyKey is {which!r}; allowed: PrimaryKey, SecondaryKey.", "policyKey"
            )
        return self.azure.store.merge(resource.id, {name: _key()})

    def _connection(self, rule: Resource, key: str) -> str:
        """A connection string of Azure's form; its host has a port here."""
        namespace = "/".join(rule.id.split("/")[:9])
        host = f"127.0.0.1:{self.azure.store.port(namespace)}"
        return f"Endpoint=sb://{host}/;SharedAccessKeyName={rule.name};SharedAccessKey={key}"


class HubRule(_Rule):
    """A hub's."""

    type = f"{access.HUB}/authorizationRules"


class NamespaceRule(_Rule):
    """A namespace's: for all its hubs."""

    type = f"{access.NAMESPACE}/authorizationRules"


def _key() -> str:
    return base64.b64encode(secrets.token_bytes(32)).decode()
