"""Turns an ARM request into what is done: address, type, authorization, validation, lifecycle, answer."""

from __future__ import annotations

from aiohttp import web

from local.azure.arm import access, constraints, rules
from local.azure.arm.answers import async_headers, listing, rendered
from local.azure.arm.authorize import ASSIGNMENT_TYPE, DEFINITION_TYPE
from local.azure.arm.ids import Address, parse
from local.azure.arm.lifecycle import Lifecycle
from local.azure.arm.provider_actions import ProviderActions
from local.azure.arm.requests import json_of
from local.azure.arm.shapes import UNKNOWN
from local.azure.arm.types import Type
from local.azure.arm.validate import Judge
from local.azure.context import ArmError, Azure, Body, Principal, Resource
from local.instance import SUBSCRIPTION_ID


class Gateway:
    """Serves /subscriptions/… and /providers/… of stored resources."""

    def __init__(self, azure: Azure, lifecycle: Lifecycle) -> None:
        self._azure, self._lifecycle, self._store = azure, lifecycle, lifecycle.store
        self._actions = ProviderActions(azure, lifecycle)

    async def handle(self, request: web.Request, principal: Principal) -> web.Response:
        """Answer a request of an authenticated principal. Raises ArmError."""
        address = parse(request.path)
        version = request.query.get("api-version", "")
        if request.method in ("GET", "POST", "DELETE"):
            body = await _json(request) if request.method == "POST" else {}
            answer = await self._actions.handle(request, address, principal, body)
            if answer is not None:
                return answer
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
        if kind.type == DEFINITION_TYPE and (known := access.definition(address)):
            return web.json_response(known)  # what a built-in role may do is no secret in the tenant
        self._azure.authorizer.require(principal, address.path, f"{kind.type}/read", data=False)
        resource = self._existing(address)
        return web.json_response(rendered(resource, self._store), headers=self._etag(address))

    async def _put(
        self, request: web.Request, address: Address, kind: Type, principal: Principal, version: str
    ) -> web.Response:
        body = await _json(request)
        # Where the scope is not known yet, who may deploy to the subscription may deploy there.
        scope = f"/subscriptions/{SUBSCRIPTION_ID}" if address.path.startswith(f"/{UNKNOWN}") else address.path
        about = access.about(kind, request=body)
        self._azure.authorizer.require(principal, scope, f"{kind.type}/write", data=False, about=about)
        if request.query.get("dryRun", "").lower() == "all":
            return await self._dry_run(address, kind, body, version)
        async with self._lifecycle.exclusive(address.path):
            previous = self._store.get(address.path)
            rules.not_deleting(previous)
            rules.preconditions(request.headers, self._store.etag(address.path))
            rules.no_lock(self._store, address.path, writing=True)
            recovered = self._recovered(address, kind, body, previous)
            resource = recovered or self._judged(address, kind, body, previous, version)
            rules.immutable(kind, body, previous)
            rules.parent_exists(self._store, address)
            if recovered is None and previous is None and kind.soft_delete:
                self._lifecycle.deleted.refuse_held(kind, resource)
            self._lifecycle.identities.check(resource.body)
            behaviour = self._lifecycle.behaviour(resource.type)
            await behaviour.check(resource, previous)
            await behaviour.check_state(resource, previous)
            operation = await self._lifecycle.put(resource, previous, wait=not kind.asynchronous)
            if recovered is not None:
                self._lifecycle.deleted.forget(resource.id)
        status = 200 if previous else kind.created
        headers = self._etag(address)
        if kind.asynchronous:
            headers |= async_headers(request, kind, operation, resource)
        kept = self._store.get(address.path) or resource
        return web.json_response(rendered(kept, self._store), status=status, headers=headers)

    async def _dry_run(self, address: Address, kind: Type, body: Body, version: str) -> web.Response:
        """Judge and keep nothing. What may change only with a new resource is the caller's to see in its diff."""
        previous = self._store.get(address.path)
        resource = self._judged(address, kind, body, previous, version)
        if previous is None and kind.soft_delete and UNKNOWN not in address.name and not _recovers(body):
            self._lifecycle.deleted.refuse_held(kind, resource)
        await self._lifecycle.behaviour(resource.type).check(resource, previous)
        return web.json_response({"id": resource.id, "name": resource.name, "type": resource.type, **resource.body})

    def _recovered(self, address: Address, kind: Type, body: Body, previous: Resource | None) -> Resource | None:
        """The soft-deleted resource that ``createMode: recover`` brings back, with everything below it."""
        if previous is not None or not kind.soft_delete or not _recovers(body):
            return None
        asked = Resource(address.path, address.name, kind.type, body)
        resource, tree = self._lifecycle.deleted.recover(kind, asked)
        with self._store.transaction():
            for each in tree:
                self._store.put(each)
        properties = {**resource.properties, "createMode": "recover"}
        return Resource(resource.id, resource.name, resource.type, {**resource.body, "properties": properties})

    def _judged(self, address: Address, kind: Type, body: Body, previous: Resource | None, version: str) -> Resource:
        details = rules.names(address, kind)
        rules.same_identity(address, kind, body)
        Judge(kind, body, previous.body if previous else None, pinned=version == kind.version).check(details)
        constraints.check(self._store, address, kind, body, previous)
        if previous is None:
            rules.name_is_free(self._store, address, kind)
        kept = rules.stored_body(kind, body, previous)
        identity = previous.id if previous else rules.proper_id(address, kind)
        return Resource(identity, identity.rsplit("/", 1)[1], kind.type_of(identity), kept)

    async def _patch(
        self, request: web.Request, address: Address, kind: Type, principal: Principal, version: str
    ) -> web.Response:
        patch = await _json(request)
        self._azure.authorizer.require(principal, address.path, f"{kind.type}/write", data=False)
        async with self._lifecycle.exclusive(address.path):
            previous = self._existing(address)
            rules.not_deleting(previous)
            rules.preconditions(request.headers, self._store.etag(address.path))
            rules.no_lock(self._store, address.path, writing=True)
            body = rules.patched(kind, previous.body, patch)
            resource = self._judged(address, kind, body, previous, version)
            rules.immutable(kind, body, previous)
            self._lifecycle.identities.check(resource.body)
            behaviour = self._lifecycle.behaviour(resource.type)
            await behaviour.check(resource, previous)
            await behaviour.check_state(resource, previous)
            # Clients differ in whether they can wait for a PATCH; none minds one that is done.
            await self._lifecycle.put(resource, previous, wait=True)
        return web.json_response(rendered(self._existing(address), self._store), headers=self._etag(address))

    async def _delete(
        self, request: web.Request, address: Address, kind: Type, principal: Principal, version: str
    ) -> web.Response:
        there = self._store.get(address.path)
        about = access.about(kind, resource=there.body if there else {})
        self._azure.authorizer.require(principal, address.path, f"{kind.type}/delete", data=False, about=about)
        async with self._lifecycle.exclusive(address.path):
            resource = self._store.get(address.path)
            if resource is None:
                if kind.type == "Microsoft.Resources/resourceGroups":
                    raise rules.not_found(address)
                return web.Response(status=204)
            rules.preconditions(request.headers, self._store.etag(address.path))
            rules.no_lock(self._store, address.path, writing=False)
            later = kind.deleted == 202
            operation = await self._lifecycle.delete(resource, wait=not later)
        if not later:
            return web.Response(status=kind.deleted)
        return web.Response(status=202, headers=async_headers(request, kind, operation, resource))

    async def _list(self, request: web.Request, address: Address, principal: Principal, version: str) -> web.Response:
        found = rules.listed_types(address, version)
        scope = address.parent or f"/subscriptions/{SUBSCRIPTION_ID}"  # the tenant's, as far as the caller sees it
        self._azure.authorizer.require(principal, scope, f"{found}/read", data=False)
        filtered = request.query.get("$filter", "")
        if found == DEFINITION_TYPE:
            return listing(request, access.definitions(self._store, filtered))
        if found == ASSIGNMENT_TYPE:
            return listing(request, access.assignments(self._store, address.parent, filtered))
        if address.parent.count("/") > 2 and self._store.get(address.parent) is None:
            raise rules.not_found(parse(address.parent))
        bodies = [rendered(each, self._store) for each in self._store.list(found, address.parent or "/")]
        return listing(request, bodies)

    async def _act(self, request: web.Request, address: Address, principal: Principal, version: str) -> web.Response:
        owner, action = parse(address.parent), address.types[-1]
        kind = rules.known_type(owner, version)
        self._azure.authorizer.require(principal, owner.path, f"{kind.type}/{action}/action", data=False)
        resource = self._existing(owner)
        body = await _json(request)
        answer = await self._lifecycle.behaviour(resource.type).act(resource, action, body)
        return web.json_response(answer)

    def _existing(self, address: Address) -> Resource:
        resource = self._store.get(address.path)
        if resource is None:
            raise rules.not_found(address)
        return resource

    def _etag(self, address: Address) -> dict[str, str]:
        etag = self._store.etag(address.path)
        return {"ETag": f'"{etag}"'} if etag else {}


def _recovers(body: Body) -> bool:
    return str((body.get("properties") or {}).get("createMode", "")).lower() == "recover"


async def _json(request: web.Request) -> Body:
    body = await json_of(request)
    if not isinstance(body, dict):
        raise ArmError(400, "InvalidRequestContent", "The request content must be a JSON object.")
    return body


def _not_allowed(request: web.Request) -> ArmError:
    return ArmError(405, "MethodNotAllowed", f"{request.method} is not possible on {request.path}.")
