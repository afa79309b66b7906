"""Turns an ARM request into what is done: address, type, authorization, validation, lifecycle, answer."""

from __future__ import annotations

import json
from typing import Any

from aiohttp import web

from local.azure.arm import rules
from local.azure.arm.answers import async_headers, listing, rendered
from local.azure.arm.ids import Address, parse
from local.azure.arm.lifecycle import Lifecycle
from local.azure.arm.types import Type
from local.azure.arm.validate import Judge
from local.azure.context import ArmError, Azure, Body, Principal, Resource


class Gateway:
    """Serves /subscriptions/… and /providers/… of stored resources."""

    def __init__(self, azure: Azure, lifecycle: Lifecycle) -> None:
        self._azure, self._lifecycle, self._store = azure, lifecycle, lifecycle.store

    async def handle(self, request: web.Request, principal: Principal) -> web.Response:
        """Answer a request of an authenticated principal. Raises ArmError."""
        address = parse(request.path)
        version = request.query.get("api-version", "")
        if not address.whole:
            if request.method == "POST":
                return await self._act(request, address, principal, version)
            if request.method == "GET":
                return await self._list(request, address, principal, version)
            raise _not_allowed(request)
        kind = rules.known_type(address, version)
        match request.method:
            case "GET":
                return self._get(address, kind, principal)
            case "HEAD":
                self._get(address, kind, principal)
                return web.Response(status=204)
            case "PUT":
                return await self._put(request, address, kind, principal, version)
            case "PATCH":
                return await self._patch(request, address, kind, principal, version)
            case "DELETE":
                return await self._delete(request, address, kind, principal, version)
        raise _not_allowed(request)

    def _get(self, address: Address, kind: Type, principal: Principal) -> web.Response:
        self._azure.authorizer.require(principal, address.path, f"{kind.type}/read", data=False)
        resource = self._existing(address)
        return web.json_response(rendered(resource, self._store), headers=self._etag(address))

    async def _put(
        self, request: web.Request, address: Address, kind: Type, principal: Principal, version: str
    ) -> web.Response:
        body = await _json(request)
        dry = request.query.get("dryRun", "").lower() == "all"
        self._azure.authorizer.require(principal, address.path, f"{kind.type}/write", data=False)
        if dry:
            resource = self._judged(address, kind, body, self._store.get(address.path), version)
            await self._lifecycle.behaviour(kind.type).check(resource, self._store.get(address.path))
            return web.json_response({**resource.body, "id": resource.id, "name": resource.name, "type": kind.type})
        async with self._lifecycle.exclusive(address.path):
            previous = self._store.get(address.path)
            rules.preconditions(request.headers, self._store.etag(address.path))
            rules.no_lock(self._store, address.path, writing=True)
            resource = self._judged(address, kind, body, previous, version)
            rules.parent_exists(self._store, address)
            await self._lifecycle.behaviour(kind.type).check(resource, previous)
            operation = await self._lifecycle.put(resource, previous, wait=not kind.asynchronous)
        status = 200 if previous else kind.created
        headers = self._etag(address)
        if kind.asynchronous:
            headers |= async_headers(request, kind, operation, resource)
        kept = self._store.get(address.path) or resource
        return web.json_response(rendered(kept, self._store), status=status, headers=headers)

    def _judged(self, address: Address, kind: Type, body: Body, previous: Resource | None, version: str) -> Resource:
        details = rules.names(address, kind)
        rules.same_identity(address, kind, body)
        Judge(kind, body, previous.body if previous else None, pinned=version == kind.version).check(details)
        rules.immutable(kind, body, previous)
        if previous is None:
            rules.name_is_free(self._store, address, kind)
        kept = rules.stored_body(kind, body, previous)
        identity = previous.id if previous else address.path
        return Resource(identity, identity.rsplit("/", 1)[1], kind.type, kept)

    async def _patch(
        self, request: web.Request, address: Address, kind: Type, principal: Principal, version: str
    ) -> web.Response:
        patch = await _json(request)
        self._azure.authorizer.require(principal, address.path, f"{kind.type}/write", data=False)
        async with self._lifecycle.exclusive(address.path):
            previous = self._existing(address)
            rules.preconditions(request.headers, self._store.etag(address.path))
            rules.no_lock(self._store, address.path, writing=True)
            body = rules.patched(kind, previous.body, patch)
            resource = self._judged(address, kind, body, previous, version)
            await self._lifecycle.behaviour(kind.type).check(resource, previous)
            operation = await self._lifecycle.put(resource, previous, wait=not kind.asynchronous)
        headers = self._etag(address)
        if kind.asynchronous:
            headers |= async_headers(request, kind, operation, resource)
        return web.json_response(rendered(self._existing(address), self._store), headers=headers)

    async def _delete(
        self, request: web.Request, address: Address, kind: Type, principal: Principal, version: str
    ) -> web.Response:
        self._azure.authorizer.require(principal, address.path, f"{kind.type}/delete", data=False)
        async with self._lifecycle.exclusive(address.path):
            resource = self._store.get(address.path)
            if resource is None:
                if kind.type == "Microsoft.Resources/resourceGroups":
                    raise rules.not_found(address)
                return web.Response(status=204)
            rules.preconditions(request.headers, self._store.etag(address.path))
            rules.no_lock(self._store, address.path, writing=False)
            later = kind.asynchronous or kind.type == "Microsoft.Resources/resourceGroups"
            operation = await self._lifecycle.delete(resource, wait=not later)
        if not later:
            return web.Response(status=200)
        return web.Response(status=202, headers=async_headers(request, kind, operation, resource))

    async def _list(self, request: web.Request, address: Address, principal: Principal, version: str) -> web.Response:
        found = rules.listed_types(address, version)
        self._azure.authorizer.require(principal, address.parent, f"{found}/read", data=False)
        if address.parent.count("/") > 2 and self._store.get(address.parent) is None:
            raise rules.not_found(parse(address.parent))
        bodies = [rendered(each, self._store) for each in self._store.list(found, address.parent or "/")]
        return listing(request, bodies)

    async def _act(self, request: web.Request, address: Address, principal: Principal, version: str) -> web.Response:
        owner, action = parse(address.parent), address.types[-1]
        kind = rules.known_type(owner, version)
        self._azure.authorizer.require(principal, owner.path, f"{kind.type}/{action}/action", data=False)
        resource = self._existing(owner)
        body = await _json(request) if request.can_read_body else {}
        answer = await self._lifecycle.behaviour(kind.type).act(resource, action, body)
        return web.json_response(answer)

    def _existing(self, address: Address) -> Resource:
        resource = self._store.get(address.path)
        if resource is None:
            raise rules.not_found(address)
        return resource

    def _etag(self, address: Address) -> dict[str, str]:
        etag = self._store.etag(address.path)
        return {"ETag": f'"{etag}"'} if etag else {}


async def _json(request: web.Request) -> Body:
    text = await request.text()
    try:
        body: Any = json.loads(text) if text else {}
    except ValueError as error:
        raise ArmError(400, "InvalidRequestContent", f"The request content is no valid JSON: {error}.") from None
    if not isinstance(body, dict):
        raise ArmError(400, "InvalidRequestContent", "The request content must be a JSON object.")
    return body


def _not_allowed(request: web.Request) -> ArmError:
    return ArmError(405, "MethodNotAllowed", f"{request.method} is not possible on {request.path}.")
