"""Microsoft Graph over HTTP: who asks, which version and object, and the answer in Graph's form.

Source: learn.microsoft.com/graph/use-the-api. Upsert: learn.microsoft.com/graph/api/application-upsert.
"""

from __future__ import annotations

import json
import re
from typing import Any

from aiohttp import web

from local.azure.context import ArmError, Authorizer, Body, Principal
from local.azure.entra.directory import LocalDirectory
from local.azure.entra.graph.kinds import DELETED, SETTINGS, SETTINGS_PERMISSIONS
from local.azure.entra.graph.objects import Objects
from local.azure.entra.graph.paths import Address, not_found, parse
from local.azure.entra.graph.permissions import allowed
from local.azure.entra.graph.users import USER, Users, permissions

PATH = r"/{version:(v1\.0|beta)}/{graph:.*}"
"""What the front door hands over."""
_FILTER = re.compile(r"(\w+) eq '((?:[^']|'')*)'")


class Graph:
    """Serves Graph to whoever administers the local tenant, and to applications with its permissions."""

    def __init__(self, directory: LocalDirectory, authorizer: Authorizer, objects: Objects) -> None:
        self._authorizer, self._objects, self._users = authorizer, objects, Users(directory, objects)

    async def handle(self, request: web.Request, principal: Principal) -> web.Response:
        """Answer a request. Raises ArmError."""
        _, version, path = request.path.rstrip("/").split("/", 2)
        body = await _json(request) if request.method in ("POST", "PATCH") else {}
        if re.match(r"users(/|$)", path):
            self._require(principal, permissions(request.method, path))
            return self._users.handle(request.method, path, body, request.query)
        if path in SETTINGS:
            self._require(principal, SETTINGS_PERMISSIONS)
            return self._setting(request.method, path, body)
        address = parse(path, self._objects.store)
        self._require(principal, self._permissions(request.method, address))
        if version not in address.kind.versions:
            raise ArmError(400, "Request_BadRequest", f"{path} is part of {', '.join(address.kind.versions)} only.")
        return self._serve(request, address, body)

    def _permissions(self, method: str, address: Address) -> tuple[str, ...]:
        if address.collection == DELETED and address.key:
            deleted = self._objects.store.get(DELETED, address.key)
            of_users = permissions(method, DELETED)
            if deleted is None:  # whoever may see some kind of them is told so
                return of_users + address.kind.permissions
            return of_users if deleted.get("@odata.type") == USER else address.kind.permissions
        return address.kind.reads if method == "GET" and address.kind.reads else address.kind.permissions

    def _serve(self, request: web.Request, address: Address, body: Any) -> web.Response:
        upsert = request.headers.get("Prefer", "") == "create-if-missing"
        match request.method:
            case "POST" if address.key is None and address.named is None:
                made = self._objects.create(address, body)
                return (
                    web.Response(status=204)
                    if address.reference
                    else web.json_response(_shown(made, address), status=201)
                )
            case "GET" if address.key is None and address.named is None:
                return web.json_response({"value": [_shown(each, address) for each in self._listed(request, address)]})
            case "GET":
                return web.json_response(_shown(self._objects.read(address), address))
            case "PATCH" if address.named and upsert:
                name, value = address.named
                if name not in address.kind.given:
                    raise not_found(value)
                return web.json_response(self._objects.create(address, {**body, name: value}), status=201)
            case "PATCH":
                self._objects.change(address, body)
                return web.Response(status=204)
            case "DELETE":
                self._objects.delete(address)
                return web.Response(status=204)
        raise ArmError(405, "Request_BadRequest", f"{request.method} {request.path} is not part of Graph here.")

    def _listed(self, request: web.Request, address: Address) -> list[Body]:
        found = self._objects.store.list(address.collection)
        if unknown := set(request.query) - {"$filter"}:
            raise ArmError(
                400, "Request_BadRequest", f"Not known here: {', '.join(sorted(unknown))}; allowed: $filter."
            )
        if text := request.query.get("$filter"):
            clause = _FILTER.fullmatch(text)
            if clause is None:
                raise ArmError(400, "Request_UnsupportedQuery", f"$filter {text!r}; allowed: <property> eq '<value>'.")
            found = [each for each in found if each.get(clause[1]) == clause[2].replace("''", "'")]
        return found

    def _setting(self, method: str, path: str, body: Any) -> web.Response:
        if method == "GET":
            return web.json_response(self._objects.setting(path))
        if method != "PATCH":
            raise ArmError(405, "Request_BadRequest", f"{method} {path}: it is always there; allowed: GET, PATCH.")
        self._objects.change_setting(path, body)
        return web.Response(status=204)

    def _require(self, principal: Principal, permissions: tuple[str, ...]) -> None:
        if not allowed(principal, permissions, self._authorizer, self._objects.store):
            wanted = f" One of these is needed: {', '.join(permissions)}." if permissions else ""
            raise ArmError(
                403, "Authorization_RequestDenied", f"Insufficient privileges to complete the operation.{wanted}"
            )


def _shown(body: Body, address: Address) -> Body:
    """An object as it is answered: one that is known by another's id has none of its own."""
    hidden = "id" if address.kind.identified_by == "appId" else ""
    return {name: value for name, value in body.items() if name != hidden}


async def _json(request: web.Request) -> Any:
    try:
        return await request.json()
    except json.JSONDecodeError as error:
        raise ArmError(400, "BadRequest", f"Unable to read JSON request payload: {error}.") from None
