"""The application: what every service's HTTP interface has in common."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Annotated, Any

import structlog
from fastapi import APIRouter, Depends, FastAPI, Request, Response
from fastapi.openapi.utils import get_openapi
from fastapi.telemetry import TelemetryConfig
from pydantic import BaseModel
from pydantic_core import to_json
from sqlalchemy.orm import Session
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from workloads.chassis import calls, correlation, erasure, health, problems
from workloads.chassis.acting import ActingIdentity
from workloads.chassis.bodies import Bounded
from workloads.chassis.calls import ServiceClient
from workloads.chassis.database import Database
from workloads.chassis.events.backbone import Backbone, connect
from workloads.chassis.events.consumer import Handler
from workloads.chassis.events.port import Bus
from workloads.chassis.identity import Authenticator, CurrentUser
from workloads.chassis.restoration import HeldBack, Restoration
from workloads.chassis.settings import DataSettings, HolderSettings, Settings, TokenSettings, UserSettings
from workloads.chassis.tasks import TaskHandler, Worker
from workloads.chassis.telemetry import Telemetry
from workloads.chassis.token_issuer import TokenIssuer

_log = structlog.get_logger(__name__)


_NO_TELEMETRY_OF_ITS_OWN: TelemetryConfig = {
    "tracing": False, "metrics": False, "logs": False, "operation_spans": False, "auto_configure": False,
}  # fmt: skip
"""FastAPI would tell paths, callers and exceptions' texts as they are; `workloads.chassis.telemetry` masks them."""


def create_app(
    service: str,
    title: str,
    settings: Settings,
    routers: Sequence[APIRouter],
    *,
    prepare: Callable[[FastAPI], Any] | None = None,
    handlers: Mapping[str, Handler] | None = None,
    tasks: Mapping[str, TaskHandler] | None = None,
    errors: Callable[[FastAPI], None] = problems.install,
) -> FastAPI:
    """A service's application. Its state holds ``settings``, ``database``, ``authenticator``, ``acting`` and ``tls``,
    and ``restoration`` where requests are held back until every erasure was applied.

    ``state.bus`` is where its events go and come from; None connects the one that the settings name, and where they
    name none, events wait in the outbox.

    service: its package's name. title: for the OpenAPI document. prepare: called once, puts what the service needs
    (clients of other services) into ``app.state``; returns a list of things to close at the end, if any.
    handlers: of events, by type. tasks: what to do when a task of a kind falls due.
    errors: installs the error handlers.
    """
    state_tls = calls.trust(settings.ssl_cert_file)
    database = Database(settings.database_url, settings.ssl_cert_file) if isinstance(settings, DataSettings) else None
    authenticator = None
    if isinstance(settings, TokenSettings):
        people = TokenIssuer(str(settings.token_issuer), settings.token_audience, state_tls)
        services = people
        if settings.service_token_issuer:
            services = TokenIssuer(str(settings.service_token_issuer), settings.service_audience, state_tls)
        authenticator = Authenticator(people, services, settings.acting_services)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            for each in [database, authenticator, *closing]:
                if each:
                    stack.callback(each.close)
            begin: list[Callable[[], None]] = []
            if database and handlers is not None and (bus := app.state.bus or _bus(settings)):
                backbone = Backbone(service, database, bus, handlers, app.state)
                stack.callback(backbone.close)
                begin.append(backbone.start)
            if database and tasks:
                worker = Worker(tasks, database, app.state)
                stack.callback(worker.close)
                begin.append(worker.start)
            if restoration:
                stack.callback(restoration.close)
                restoration.start(begin)
            else:
                for each in begin:
                    each()
            _log.info("started")
            yield
        _log.info("stopped")

    app = FastAPI(
        title=title, version="1.0.0", lifespan=lifespan, docs_url=None, redoc_url=None, redirect_slashes=False,
        generate_unique_id_function=lambda route: route.name, telemetry=_NO_TELEMETRY_OF_ITS_OWN,
    )  # fmt: skip
    app.state.settings, app.state.database, app.state.tls = settings, database, state_tls
    app.state.authenticator, app.state.service, app.state.bus = authenticator, service, None
    app.state.acting = ActingIdentity(settings.service_audience) if isinstance(settings, TokenSettings) else None
    restoration = app.state.restoration = _restoration(settings, handlers or {}, app.state)
    closing: list[Any] = list((prepare(app) if prepare else None) or [])
    errors(app)
    for router in [health.router, *routers]:
        app.include_router(router)
    if restoration:
        app.add_middleware(HeldBack, restoration=restoration)
    app.add_middleware(Bounded)
    app.add_middleware(_Requests)
    app.add_middleware(Telemetry, service=service, connection=settings.applicationinsights_connection_string)
    app.openapi = lambda: _document(app)  # type: ignore[method-assign]  # FastAPI's documented way to extend it
    return app


def _bus(settings: Settings) -> Bus | None:
    host = settings.service_bus_host if isinstance(settings, UserSettings) else None
    return connect(host) if host else None


def _restoration(settings: Settings, handlers: Mapping[str, Handler], state: Any) -> Restoration | None:
    """None for a service that holds no users' data, or is told of no list of erasures."""
    listed = settings.privacy_url if isinstance(settings, HolderSettings) else None
    erase = handlers.get(erasure.REQUESTED)
    if listed is None or erase is None:
        return None
    return Restoration(erase, ServiceClient("privacy", str(listed), state.tls, timeout=10), state)


def open_session(request: Request, user: CurrentUser) -> Iterator[Session]:
    """The request's transaction, bound to its user."""
    with request.app.state.database.session(user.id) as session:
        yield session


UserTransaction = Annotated[Session, Depends(open_session, scope="function")]
"""An endpoint's parameter: committed before the answer is sent, so that a failed commit is never a success."""


def written(answer: BaseModel | Mapping[str, Any]) -> Response:
    """A long answer as JSON. FastAPI would validate it once more, which takes longer than reading its rows.

    answer: the operation's model, or what the model says, by its names: to make a model a row takes longer than the
    rest of a row.
    """
    return Response(to_json(answer), media_type="application/json")


def _document(app: FastAPI) -> dict[str, Any]:
    if not app.openapi_schema:
        document = get_openapi(title=app.title, version=app.version, routes=app.routes)
        schemas = document.setdefault("components", {}).setdefault("schemas", {})
        details = problems.ProblemDetails.model_json_schema(ref_template="#/components/schemas/{model}")
        schemas |= details.pop("$defs") | {"ProblemDetails": details}
        for name in ("HTTPValidationError", "ValidationError"):
            schemas.pop(name, None)
        for path in document["paths"].values():
            for operation in path.values():
                if "422" in operation["responses"]:
                    operation["responses"]["422"] = problems.documented(422)[422]
                if "security" in operation:  # a token may grant too little
                    operation["responses"].setdefault("403", problems.documented(403)[403])
                if "requestBody" in operation:  # one that is not UTF-8, or nested too deep, can't be parsed
                    for each in (400, 413):
                        operation["responses"].setdefault(str(each), problems.documented(each)[each])
        app.openapi_schema = document
    return app.openapi_schema


class _Requests:
    """Gives each request its id and trace, and writes one line about it: route, status and time, never its path."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = Headers(scope=scope)
        correlation.enter(given.get("x-request-id"), given.get("traceparent"))
        start, status = time.perf_counter(), 500

        async def tell(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message).setdefault("X-Request-ID", correlation.request_id() or "")
            await send(message)

        try:
            await self._app(scope, receive, tell)
        finally:
            route = getattr(scope.get("route"), "path", "-")
            took = round((time.perf_counter() - start) * 1000, 1)
            if not route.startswith("/healthz/"):
                _log.info("request", method=scope["method"], route=route, status=status, milliseconds=took)
