"""The web application on port ``arm``: Entra, Graph, managed identity, metadata and ARM behind one front door."""

from __future__ import annotations

import logging
import re
import uuid
from collections.abc import Awaitable, Callable

from aiohttp import web

from local.azure.arm import catalogue
from local.azure.arm.administration import Administration
from local.azure.arm.answers import listing
from local.azure.arm.faults import Faults
from local.azure.arm.gateway import Gateway
from local.azure.arm.lifecycle import Lifecycle
from local.azure.arm.requests import bearer
from local.azure.context import ArmError, Azure
from local.azure.entra.audiences import ARM, GRAPH
from local.azure.entra.endpoints import EntraEndpoints
from local.azure.entra.graph.endpoint import PATH as GRAPH_PATH
from local.azure.entra.graph.endpoint import Graph
from local.instance import SUBSCRIPTION_ID

_log = logging.getLogger(__name__)
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@web.middleware
async def answer_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Give every answer its ids, and every refusal ARM's error body."""
    identity = str(uuid.uuid4())
    ids = {
        "x-ms-request-id": identity,
        "x-ms-correlation-request-id": request.headers.get("x-ms-correlation-request-id", identity),
    }
    if "x-ms-client-request-id" in request.headers:
        ids["x-ms-client-request-id"] = request.headers["x-ms-client-request-id"]
    try:
        response = await handler(request)
    except ArmError as error:
        response = web.json_response(error.body(), status=error.status)
        if error.status in (429, 503):
            response.headers.update({"Retry-After": "1", "retry-after-ms": "100"})
        if error.status == 401:
            response.headers["WWW-Authenticate"] = 'Bearer authorization_uri="https://127.0.0.1", error="invalid_token"'
    except web.HTTPException as error:
        if error.status < 400:
            raise
        body = ArmError(error.status, (error.reason or "Error").replace(" ", ""), error.text or "").body()
        response = web.json_response(body, status=error.status)
    except ConnectionResetError:
        raise
    except Exception:
        _log.exception("%s %s failed; request %s", request.method, request.path, identity)
        failure = ArmError(500, "InternalServerError", f"The request failed; see the daemon's log for {identity}.")
        response = web.json_response(failure.body(), status=500)
    if not response.prepared:
        response.headers.update(ids)
    return response


class FrontDoor:
    """Routes of the embedded Azure's control plane."""

    def __init__(self, azure: Azure, lifecycle: Lifecycle, entra: EntraEndpoints, graph: Graph) -> None:
        self._azure, self._lifecycle, self._entra, self._graph = azure, lifecycle, entra, graph
        self._gateway = Gateway(azure, lifecycle)
        self._providers = catalogue.Providers(lifecycle.store.database)
        self._faults = Faults()

    def application(self) -> web.Application:
        """The application to serve."""
        application = web.Application(middlewares=[answer_errors], client_max_size=16 * 2**20)
        self._entra.register(application)
        application.router.add_get("/metadata/endpoints", self._metadata)
        application.router.add_get("/healthz", self._health)
        application.router.add_route("*", GRAPH_PATH, self._serve_graph)
        Administration(self._azure, self._faults, self._lifecycle.provisioning).register(application)
        application.router.add_route("*", "/{path:.*}", self._serve_arm)
        return application

    async def _metadata(self, request: web.Request) -> web.Response:
        version = request.query.get("api-version", "")
        if not re.fullmatch(r"\d{4}-\d\d-\d\d|1\.0", version):
            raise ArmError(400, "MissingApiVersionParameter", "api-version is required, e.g. 2022-09-01.")
        return web.json_response(catalogue.metadata(self._azure.instance, version))

    async def _health(self, request: web.Request) -> web.Response:
        return web.json_response({"status": "ready"})

    async def _serve_graph(self, request: web.Request) -> web.Response:
        return await self._graph.handle(request, self._azure.directory.verify(bearer(request), GRAPH))

    async def _serve_arm(self, request: web.Request) -> web.StreamResponse:
        return await self._faults.serve(request, self._arm)

    async def _arm(self, request: web.Request) -> web.StreamResponse:
        principal = self._azure.directory.verify(bearer(request), ARM)
        catalogue.check_subscription(request.path)
        path = request.path.rstrip("/").lower()
        require = self._azure.authorizer.require
        here = f"/subscriptions/{SUBSCRIPTION_ID}"
        if request.method == "GET" and path == "/subscriptions":
            return listing(request, [catalogue.subscription()])
        if request.method == "GET" and path == "/tenants":
            return listing(request, [catalogue.tenant()])
        if request.method == "GET" and path == here:
            require(principal, here, "Microsoft.Resources/subscriptions/read", data=False)
            return web.json_response(catalogue.subscription())
        if request.method == "GET" and path in ("/providers", here + "/providers"):
            require(principal, here, "Microsoft.Resources/subscriptions/providers/read", data=False)
            return listing(request, self._providers.all())
        found = re.fullmatch(rf"(?:{here})?/providers/([^/]+)(?:/(register|unregister))?", path)
        if found and request.method == ("POST" if found[2] else "GET"):
            verb = f"{found[1]}/{found[2]}/action" if found[2] else "Microsoft.Resources/subscriptions/providers/read"
            require(principal, here, verb, data=False)
            if found[2]:
                state = "Registered" if found[2] == "register" else "NotRegistered"
                return web.json_response(self._providers.register(found[1], state))
            return web.json_response(self._providers.describe(found[1]))
        found = re.fullmatch(rf"{here}/providers/[^/]+/locations/[^/]+/operation(statuses|results)/([^/]+)", path)
        if found and request.method == "GET":
            return catalogue.operation(request, self._lifecycle, found[2], result=found[1] == "results")
        return await self._gateway.handle(request, principal)


__all__ = ["FrontDoor"]
