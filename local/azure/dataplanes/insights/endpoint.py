"""Application Insights' ingestion and live-metrics endpoints: who may send to which component, then keep.

Protocol: POST /v2.1/track of https://learn.microsoft.com/azure/azure-monitor/app/ip-addresses' ingestion endpoints, as
azure-monitor-opentelemetry-exporter speaks it; Entra authentication: .../app/azure-ad-authentication.
"""

from __future__ import annotations

import logging
from typing import Any

from aiohttp import web

from local.azure.context import ArmError, Azure, Principal, Resource
from local.azure.dataplanes.insights import envelope as envelopes
from local.azure.dataplanes.insights.envelope import Malformed
from local.azure.dataplanes.insights.store import Item, TelemetryStore

_LOG = logging.getLogger(__name__)
COMPONENTS = "Microsoft.Insights/components"
AUDIENCE = "https://monitor.azure.com"
ACTION = "Microsoft.Insights/Telemetry/Write"
"""The data action of Monitoring Metrics Publisher that telemetry needs."""
_LARGEST_BODY = 16 * 1024 * 1024
_PORT = "insights"


class IngestionEndpoint:
    """The listener that every component's connection string names."""

    def __init__(self, azure: Azure) -> None:
        self._azure = azure
        self._store = TelemetryStore(azure.instance.azure)

    async def start(self) -> None:
        """Listen."""
        application = web.Application(client_max_size=_LARGEST_BODY)
        # Clients append "/v2.1/track" to an endpoint that ends with a slash already; Azure minds no second one.
        for path in ("v2/track", "v2.1/track"):
            application.router.add_post("/{slashes:/*}" + path, self._track)
        for path in ("QuickPulseService.svc/ping", "QuickPulseService.svc/post"):
            application.router.add_post("/{slashes:/*}" + path, self._live)
        port = self._azure.instance.port(_PORT)
        await self._azure.serve(application, port)
        self._azure.endpoints["Application Insights ingestion"] = f"https://127.0.0.1:{port}"

    async def stop(self) -> None:
        """Close."""
        await self._azure.stop_serving(self._azure.instance.port(_PORT))
        self._store.close()

    async def _track(self, request: web.Request) -> web.Response:
        try:
            principal = self._principal(request)
            given = envelopes.split(await request.read())
        except ArmError as refused:
            return _refusal(401, refused.message)
        except (Malformed, UnicodeDecodeError) as wrong:
            return _refusal(400, str(wrong))
        items: list[Item] = []
        errors: list[dict[str, Any]] = []
        for index, envelope in enumerate(given):
            try:
                component = self._component(envelopes.instrumentation_key(envelope))
                self._permit(component, principal)
                items.append(envelopes.item_of(envelope, component.id))
            except Malformed as wrong:
                errors.append({"index": index, "statusCode": wrong.status, "message": wrong.message})
        if items:
            self._store.add(items)
        answer = {"itemsReceived": len(given), "itemsAccepted": len(items), "errors": errors}
        if errors:
            _LOG.info("refused %d of %d items, the first with %s", len(errors), len(given), errors[0]["message"])
        status = 200 if not errors else 206 if items else errors[0]["statusCode"]
        return web.json_response(answer, status=status)

    async def _live(self, request: web.Request) -> web.Response:
        """Live metrics: nobody watches, which the client is told; it pings on once a minute."""
        try:
            principal = self._principal(request)
            component = self._component(request.query.get("ikey", "").lower())
            self._permit(component, principal)
        except ArmError as refused:
            return _refusal(401, refused.message)
        except Malformed as wrong:
            return _refusal(wrong.status, wrong.message)
        headers = {"x-ms-qps-subscribed": "false", "x-ms-qps-service-polling-interval-hint": "60000"}
        body = {"ETag": "", "Metrics": [], "DocumentStreams": [], "QuotaInfo": None}
        return web.json_response(body, headers=headers)

    def _principal(self, request: web.Request) -> Principal | None:
        """Whose token came with a request. Raises ArmError 401 for a wrong one."""
        authorization = request.headers.get("Authorization")
        if authorization is None:
            return None
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer":
            raise ArmError(401, "Unauthorized", f"The scheme {scheme!r} is not supported; allowed: Bearer.")
        return self._azure.directory.verify(token.strip(), (AUDIENCE,))

    def _component(self, key: str) -> Resource:
        for resource in self._azure.store.list(COMPONENTS):
            if str(resource.properties.get("InstrumentationKey", "")).lower() == key:
                return resource
        raise Malformed(400, "Invalid instrumentation key")

    def _permit(self, component: Resource, principal: Principal | None) -> None:
        """The token's role where there is one, or where the component takes nothing else. Raises Malformed 401, 403."""
        if principal is None:
            if component.properties.get("DisableLocalAuth") is True:
                raise Malformed(401, "Local authentication is disabled for this component: send an Entra token.")
        elif not self._azure.authorizer.allows(principal, component.id, ACTION, data=True):
            raise Malformed(
                403,
                f"The identity with object id {principal.object_id} has no role on {component.name} with data action "
                f"{ACTION}; Monitoring Metrics Publisher has it.",
            )


def _refusal(status: int, message: str) -> web.Response:
    error = {"index": 0, "statusCode": status, "message": message}
    headers = {"WWW-Authenticate": f'Bearer resource_id="{AUDIENCE}"'} if status == 401 else {}
    return web.json_response(
        {"itemsReceived": 0, "itemsAccepted": 0, "errors": [error]}, status=status, headers=headers
    )
