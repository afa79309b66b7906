"""Microsoft.NotificationHubs: keys of a hub's authorization rules. Nothing is pushed: there is no data plane."""

from __future__ import annotations

import base64
import secrets

from local.azure.context import Behaviour, Body, Resource


class AuthorizationRule(Behaviour):
    """A shared access rule of a hub (REST API 2023-10-01-preview)."""

    type = "Microsoft.NotificationHubs/namespaces/notificationHubs/authorizationRules"

    async def put(self, resource: Resource, previous: Resource | None) -> Body:
        """Make its two keys, which it keeps."""
        kept = {**(previous.properties if previous else {}), **resource.properties}
        keys = {name: kept.get(name) or _key() for name in ("primaryKey", "secondaryKey")}
        return {"keyName": resource.name, "claimType": "SharedAccessKey", "claimValue": "None", **keys}

    async def act(self, resource: Resource, action: str, body: Body) -> Body:
        """listKeys; regenerateKeys is not known here."""
        if action.lower() != "listkeys":
            return await super().act(resource, action, body)
        keys = {name: resource.properties[name] for name in ("primaryKey", "secondaryKey")}
        strings = {name.replace("Key", "ConnectionString"): _connection(resource, key) for name, key in keys.items()}
        return {"keyName": resource.name, **keys, **strings}


def _key() -> str:
    return base64.b64encode(secrets.token_bytes(32)).decode()


def _connection(rule: Resource, key: str) -> str:
    """A connection string of Azure's form. Its host can't exist (RFC 6761): Azure's own would take messages away."""
    namespace = rule.id.split("/")[8]
    return f"Endpoint=sb://{namespace}.servicebus.invalid/;SharedAccessKeyName={rule.name};SharedAccessKey={key}"
