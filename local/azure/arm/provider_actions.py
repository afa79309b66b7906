"""What resource providers answer outside a resource: name availability, what is soft-deleted, lists across types."""

from __future__ import annotations

import re

from aiohttp import web

from local.azure.arm import soft_delete
from local.azure.arm.answers import listing
from local.azure.arm.ids import Address, canonical
from local.azure.arm.lifecycle import Lifecycle
from local.azure.arm.types import all_types
from local.azure.context import ArmError, Azure, Body, Principal, Resource

_PURGES = {
    ("POST", "purge"): "deletedVaults/purge/action",
    ("DELETE", "deletedservices"): "deletedservices/delete",
}
"""Right that a purge needs, by the method and the last word of its address."""


class ProviderActions:
    """Answers these addresses; None for one that is not among them."""

    def __init__(self, azure: Azure, lifecycle: Lifecycle) -> None:
        self._azure, self._lifecycle = azure, lifecycle

    async def handle(
        self, request: web.Request, address: Address, principal: Principal, body: Body
    ) -> web.Response | None:
        """Answer, or None. Raises ArmError."""
        words = tuple(word.lower() for word in address.types)
        require, scope = self._azure.authorizer.require, address.scope or "/"
        if request.method == "POST" and words in (("checknameavailability",), ("locations", "checknameavailability")):
            require(principal, scope, f"{address.namespace}/checkNameAvailability/read", data=False)
            return web.json_response(self._name_availability(address.namespace, body))
        if request.method == "GET" and words[-1:] == ("resources",) and address.namespace == "Microsoft.Resources":
            inside = "/" + "/".join(address.path.strip("/").split("/")[:-1])
            require(principal, inside, "Microsoft.Resources/subscriptions/resources/read", data=False)
            return listing(request, self._resources(inside, request.query.get("$filter", "")))
        named = words[1] if words[:1] == ("locations",) and len(words) > 1 else words[0] if words else ""
        type_name = soft_delete.collection_type(address.namespace, named)
        if type_name is None:
            return None
        purge = _PURGES.get((request.method, words[-1]))
        action = f"locations/{purge}" if purge else f"{named}/read"
        require(principal, scope, f"{address.namespace}/{action}", data=False)
        if request.method == "GET" and words == (named,):
            return listing(request, self._lifecycle.deleted.list(type_name))
        if request.method == "GET" and len(words) == 2 and address.whole:
            return web.json_response(self._lifecycle.deleted.get(type_name, *address.names)[1])
        if purge and len(address.names) == 2:
            resource, _ = self._lifecycle.deleted.get(type_name, *address.names)
            soft_delete.refuse_protected(resource)
            await self._lifecycle.behaviour(type_name).act(resource, "purge", {})
            self._lifecycle.deleted.forget(resource.id)
            return web.Response(status=200)
        return None

    def _name_availability(self, namespace: str, body: Body) -> Body:
        name, type_name = body.get("name"), str(body.get("type", ""))
        kind = next(
            (
                each
                for each in all_types()
                if each.type.lower() == type_name.lower() and each.type.lower().startswith(namespace.lower() + "/")
            ),
            None,
        )
        if kind is None or not isinstance(name, str):
            raise ArmError(
                400, "InvalidRequestContent", f"name and type are needed; type {type_name!r} is not of {namespace}."
            )
        rule = kind.names.get(kind.name_parameter or "", {})
        fits = rule.get("min", 1) <= len(name) <= rule.get("max", 260) and re.search(rule.get("pattern", ""), name)
        if not fits:
            message = f"'{name}' is not a valid name of {kind.type}."
            return {"nameAvailable": False, "available": False, "reason": "AccountNameInvalid", "message": message}
        taken = any(each.name.lower() == name.lower() for each in self._lifecycle.store.list(kind.type))
        if taken or self._lifecycle.deleted.holds(kind, name):
            message = f"The name '{name}' of {kind.type} is already taken."
            return {"nameAvailable": False, "available": False, "reason": "AlreadyExists", "message": message}
        return {"nameAvailable": True, "available": True}

    def _resources(self, inside: str, filtered: str) -> list[Body]:
        found = re.fullmatch(r"\s*resourceType eq '([^']+)'\s*|\s*", filtered)
        if found is None:
            raise ArmError(
                400, "InvalidFilter", f"The $filter {filtered!r} is not known; allowed: resourceType eq '…'."
            )
        wanted = (found[1] or "").lower()
        return [
            _summary(each)
            for each in self._lifecycle.store.under(inside)
            if _top_level(each) and (not wanted or each.type.lower() == wanted)
        ]


def _top_level(resource: Resource) -> bool:
    path = canonical(resource.id)
    return path.count("/providers/") == 1 and path.rsplit("/providers/", 1)[1].count("/") == 2


def _summary(resource: Resource) -> Body:
    members = ("location", "tags", "kind", "sku", "identity", "zones", "managedBy")
    kept = {name: resource.body[name] for name in members if name in resource.body}
    return {"id": resource.id, "name": resource.name, "type": resource.type, **kept}
