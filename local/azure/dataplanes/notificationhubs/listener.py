"""The Notification Hubs data plane: one HTTPS listener a namespace.

REST API: https://learn.microsoft.com/rest/api/notificationhubs/, versions 2015-01 to 2020-06.
"""

from __future__ import annotations

import datetime
import logging
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from local.azure.context import Azure, Resource
from local.azure.dataplanes.notificationhubs import installations, sending
from local.azure.dataplanes.notificationhubs.access import Gate
from local.azure.dataplanes.notificationhubs.errors import HubError, bad
from local.azure.dataplanes.notificationhubs.store import HubStore

_LOG = logging.getLogger(__name__)
_VERSIONS = ("2015-01", "2015-04", "2015-08", "2016-07", "2017-04", "2017-11", "2020-06")
_BROWSERS_SINCE = "2020-06"
_stores: dict[str, HubStore] = {}


def store_of(azure: Azure) -> HubStore:
    """The one store of an instance, opened on first use."""
    folder = azure.instance.azure
    if str(folder) not in _stores:
        folder.mkdir(parents=True, exist_ok=True)
        _stores[str(folder)] = HubStore(folder)
    return _stores[str(folder)]


class _Namespace:
    """The operations of a namespace's hubs."""

    def __init__(self, azure: Azure, namespace: Resource, address: str) -> None:
        self._store, self._address = store_of(azure), address
        self._gate = Gate(azure, namespace.id, address)

    def register(self, application: web.Application) -> None:
        """Serve them."""
        router = application.router
        router.add_put("/{hub}/installations/{name}", self._put)
        router.add_get("/{hub}/installations/{name}", self._get, allow_head=False)
        router.add_patch("/{hub}/installations/{name}", self._patch)
        router.add_delete("/{hub}/installations/{name}", self._delete)
        for path in ("/{hub}/messages", "/{hub}/messages/"):
            router.add_post(path, self._send)

    def _hub(self, request: web.Request, right: str, query: set[str]) -> Resource:
        """The hub of a request that may do this. Raises HubError."""
        name = request.match_info["hub"]
        self._gate.require(request.headers.get("Authorization"), name, request.path, right)
        unknown = sorted(set(request.query) - query - {"api-version"})
        if unknown:
            raise bad(f"{', '.join(unknown)}: not known here")
        version = request.query.get("api-version", "")
        if version not in _VERSIONS:
            raise bad(f"api-version: {version[:40]!r} is not known here; known: {', '.join(_VERSIONS)}")
        hub = self._gate.hub(name)
        self._store.forget_until(hub.id.lower(), installations.moment(datetime.datetime.now(datetime.UTC)))
        return hub

    def _installation(self, hub: Resource, request: web.Request) -> dict[str, Any]:
        name = request.match_info["name"]
        found = self._store.get(hub.id.lower(), name)
        if found is None:
            raise installations.not_found(name)
        return found

    async def _put(self, request: web.Request) -> web.Response:
        hub, name = self._hub(request, "Listen", set()), request.match_info["name"]
        made = installations.created(name, await _json(request), _lives(hub))
        if made["platform"] == "browser" and request.query["api-version"] < _BROWSERS_SINCE:
            raise bad(f"platform: browser needs api-version {_BROWSERS_SINCE}")
        self._store.put(hub.id.lower(), name, made)
        address = f"https://{self._address}/{hub.name}/installations/{name}?api-version={request.query['api-version']}"
        return web.Response(status=200, headers={"Content-Location": address})

    async def _get(self, request: web.Request) -> web.Response:
        hub = self._hub(request, "Listen", set())
        return web.json_response(self._installation(hub, request))

    async def _patch(self, request: web.Request) -> web.Response:
        hub = self._hub(request, "Listen", set())
        changed = installations.patched(self._installation(hub, request), await _json(request), _lives(hub))
        self._store.put(hub.id.lower(), changed["installationId"], changed)
        return web.Response(status=200)

    async def _delete(self, request: web.Request) -> web.Response:
        hub = self._hub(request, "Listen", set())
        self._store.delete(hub.id.lower(), request.match_info["name"])
        return web.Response(status=204)

    async def _send(self, request: web.Request) -> web.Response:
        hub = self._hub(request, "Send", set())
        platform = sending.platform_of(request.headers)
        body = sending.checked(platform, await request.read())
        wanted = request.headers.get("ServiceBusNotification-Tags")
        every = self._store.every(hub.id.lower())
        chosen = sending.targets(hub, every, platform, wanted, len(body.encode()))
        message = f"{uuid.uuid4()}"
        self._store.push(hub.id.lower(), message, sending.forwarded(request.headers), body, chosen)
        return web.Response(status=201, headers=self._location(hub, request, message))

    def _location(self, hub: Resource, request: web.Request, message: str) -> dict[str, str]:
        """Where the notification is found: told by namespaces of tier Standard only."""
        if not self._gate.standard:
            return {}
        version = request.query["api-version"]
        return {"Location": f"https://{self._address}/{hub.name}/messages/{message}?api-version={version}"}


def _lives(hub: Resource) -> datetime.timedelta | None:
    told = hub.properties.get("registrationTtl")
    return installations.time_to_live(str(told)) if told else None


async def _json(request: web.Request) -> Any:
    try:
        return await request.json()
    except ValueError:
        raise bad("The body is no JSON") from None


def application(azure: Azure, namespace: Resource, address: str) -> web.Application:
    """What a namespace's listener serves."""

    @web.middleware
    async def answer(
        request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        try:
            response = await handler(request)
        except HubError as refused:
            _LOG.info("%s: %s %s", request.method, refused.status, type(refused).__name__)
            response = refused.response()
        except web.HTTPException as unrouted:
            response = HubError(
                unrouted.status, f"{request.method} here is no operation of this embedded hub"
            ).response()
        response.headers.setdefault("TrackingId", str(uuid.uuid4()))
        response.headers["x-ms-correlation-request-id"] = str(uuid.uuid4())
        return response

    routes = web.Application(middlewares=[answer], client_max_size=1024 * 1024)
    _Namespace(azure, namespace, address).register(routes)
    return routes


async def open_namespace(azure: Azure, namespace: Resource) -> str:
    """Serve a namespace; its address, as ARM tells it."""
    port = azure.store.port(namespace.id)
    await azure.serve(application(azure, namespace, f"127.0.0.1:{port}"), port)
    azure.endpoints[f"Notification Hubs {namespace.name}"] = f"https://127.0.0.1:{port}"
    return f"https://127.0.0.1:{port}/"


async def close_namespace(azure: Azure, namespace: Resource) -> None:
    """Stop serving a namespace and give its port back."""
    await azure.stop_serving(azure.store.port(namespace.id))
    azure.store.release(namespace.id)
    azure.endpoints.pop(f"Notification Hubs {namespace.name}", None)
