"""Microsoft.ApiManagement: addresses of a service, and the operations that an imported API has. Nothing is served."""

from __future__ import annotations

import ipaddress
import json
import re
import uuid
from collections.abc import Iterator
from typing import Any

from local.azure.arm.shapes import UNKNOWN
from local.azure.context import ArmError, Behaviour, Body, Resource

_OPERATIONS = "Microsoft.ApiManagement/service/apis/operations"
_METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
_FORMAT = "openapi+json"


class Service(Behaviour):
    """A service (REST API 2024-05-01): in a subnet it has an address of that subnet."""

    type = "Microsoft.ApiManagement/service"

    async def check(self, resource: Resource, previous: Resource | None) -> None:
        """Refuse to close the public address of a service without a private endpoint, as a new one is
        (azure-rest-api-specs#24947)."""
        if resource.properties.get("publicNetworkAccess") == "Disabled" and not self._has_endpoint(resource):
            message = (
                f"Blocking all public network access of the service {resource.name} is not enabled during service "
                "creation, nor without an approved private endpoint connection. Make the service and its private "
                "endpoint first."
            )
            target = "properties.publicNetworkAccess"
            details = [{"code": "NotSupported", "message": message, "target": target}]
            raise ArmError(400, "NotSupported", message, target, details)

    def _has_endpoint(self, resource: Resource) -> bool:
        endpoints = self.azure.store.list("Microsoft.Network/privateEndpoints")
        return any(resource.id.lower() in json.dumps(each.properties).lower() for each in endpoints)

    async def put(self, resource: Resource, previous: Resource | None) -> Body:
        """Give it its addresses."""
        network = resource.properties.get("virtualNetworkConfiguration") or {}
        subnet = self.azure.store.get(str(network.get("subnetResourceId") or ""))
        inside = resource.properties.get("virtualNetworkType") == "Internal"
        number = uuid.uuid5(uuid.NAMESPACE_URL, resource.id.lower()).int % 254 + 1
        return {
            "gatewayUrl": f"https://{resource.name}.azure-api.net",
            "privateIPAddresses": [_first_address(subnet)] if inside and subnet else [],
            "publicIPAddresses": [f"203.0.113.{number}"],
        }

    async def act(self, resource: Resource, action: str, body: Body) -> Body:
        """The purge of a deleted one: there is nothing else of it. No other action is known here."""
        return {} if action == "purge" else await super().act(resource, action, body)


class Api(Behaviour):
    """An API. Imported from an OpenAPI document it has that document's operations, and no others."""

    type = "Microsoft.ApiManagement/service/apis"

    async def check(self, resource: Resource, previous: Resource | None) -> None:
        """Refuse what can't be imported here, and documents that Azure would not take."""
        given, value = resource.properties.get("format"), resource.properties.get("value")
        if given is None or UNKNOWN in (given, value):
            return
        if given != _FORMAT:
            raise _refused(f"format is {given!r}; only {_FORMAT!r} is imported here.", "properties.format")
        list(_operations(value))

    async def put(self, resource: Resource, previous: Resource | None) -> Body:
        """Make the operations of the document; those that it lacks are removed with their policies."""
        outputs: Body = {"apiRevision": resource.properties.get("apiRevision") or "1", "isCurrent": True}
        if resource.properties.get("format") is None:
            return outputs
        store: Any = self.azure.store
        left = {each.name.lower(): each for each in store.list(_OPERATIONS, resource.id)}
        for name, properties in _operations(resource.properties.get("value")):
            old = left.pop(name.lower(), None)
            path = old.id if old else f"{resource.id}/operations/{name}"
            store.put(Resource(path, name, _OPERATIONS, {"properties": properties}))
        for gone in left.values():
            for below in store.under(gone.id):
                store.remove(below.id)
            store.remove(gone.id)
        return outputs


def _operations(document: Any) -> Iterator[tuple[str, Body]]:
    """Name and properties of each operation. Raises ArmError 400 for a document without any, or one without its id."""
    try:
        paths = json.loads(document)["paths"]
        found = [(p, m, o) for p, item in paths.items() for m, o in item.items() if m in _METHODS]
    except (ValueError, TypeError, KeyError, AttributeError):
        raise _refused(
            "The OpenAPI document can't be parsed: JSON with paths is expected.", "properties.value"
        ) from None
    if not found:
        raise _refused("The OpenAPI document has no operations.", "properties.value")
    for path, method, operation in found:
        name = operation.get("operationId")
        if not name:
            # Azure makes one up, another one at each import: whatever is attached to it would be lost.
            raise _refused(f"{method.upper()} {path} has no operationId.", "properties.value")
        yield (
            str(name),
            {
                "displayName": operation.get("summary") or name,
                "method": method.upper(),
                "urlTemplate": path,
                "templateParameters": [
                    {"name": each, "type": "string", "required": True} for each in re.findall(r"\{([^}]+)\}", path)
                ],
            },
        )


def _first_address(subnet: Resource) -> str:
    """Azure keeps the first four addresses of a subnet for itself."""
    prefix = subnet.properties.get("addressPrefix") or subnet.properties["addressPrefixes"][0]
    return str(ipaddress.ip_network(prefix)[4])


def _refused(message: str, target: str) -> ArmError:
    details = [{"code": "ValidationError", "message": message, "target": target}]
    return ArmError(400, "ValidationError", message, target, details)
