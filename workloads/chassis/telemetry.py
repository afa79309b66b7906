"""Telemetry: requests and outgoing calls to Application Insights, started beside the service so that it never waits.

The exporter takes a second of processor time to import. A thread does that after the service is up; until then, and
whenever telemetry fails, requests pass untouched.
"""

from __future__ import annotations

import os
import re
import threading
from typing import Any

import httpx
import structlog
from starlette.types import ASGIApp, Receive, Scope, Send

from workloads.chassis.credential import credential

_log = structlog.get_logger(__name__)
_ID = re.compile(r"/(?=[^/]*\d)[^/]{8,}")
_UNUSED = (
    "azure_sdk", "django", "fastapi", "flask", "httpx", "httpx2", "psycopg2", "requests", "urllib", "urllib3",
)  # fmt: skip
"""What the distribution would instrument as it comes, addresses and all; httpx we do ourselves, with a hook."""


class Telemetry:
    """ASGI middleware: passes requests through, and through OpenTelemetry's once that is ready."""

    def __init__(self, app: ASGIApp, service: str, connection: str | None) -> None:
        self._app, self._plain = app, app
        self._service, self._connection = service, connection
        self._started = threading.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request; the first event of the server's lifespan starts telemetry."""
        if scope["type"] == "lifespan" and self._connection and not self._started.is_set():
            self._started.set()
            threading.Thread(target=self._start, name="telemetry", daemon=True).start()
        path = scope.get("path", "")
        app = self._plain if scope["type"] != "http" or path.startswith("/healthz/") else self._app
        await app(scope, receive, send)

    def _start(self) -> None:
        try:
            self._app = self._instrumented()
        except Exception as error:  # telemetry must never take a service down
            _log.warning("telemetry is off", error=type(error).__name__, detail=str(error))

    def _instrumented(self) -> ASGIApp:
        # Statsbeat would report to Microsoft's own endpoint.
        os.environ.setdefault("APPLICATIONINSIGHTS_STATSBEAT_DISABLED_ALL", "true")
        os.environ.setdefault("OTEL_SERVICE_NAME", self._service)
        from azure.monitor.opentelemetry import configure_azure_monitor
        from opentelemetry.instrumentation.httpx import HTTPXClientInstrumentor

        from workloads.chassis.span_errors import TypesOfErrors

        configure_azure_monitor(
            connection_string=self._connection,
            credential=credential(),
            disable_logging=True,
            disable_metrics=True,
            enable_live_metrics=False,
            # The distribution's own choice is five traces a second; how much is kept, the component's setting says.
            sampling_ratio=1.0,
            enable_performance_counters=False,
            span_processors=[TypesOfErrors()],
            instrumentation_options={name: {"enabled": False} for name in _UNUSED},
        )
        HTTPXClientInstrumentor().instrument(request_hook=plain_call)
        _log.info("telemetry is on")
        return traced(self._plain)


def traced(app: ASGIApp, provider: Any = None) -> ASGIApp:
    """The application with a span a request. provider: of tracers; None takes the process's."""
    from opentelemetry.instrumentation.asgi import OpenTelemetryMiddleware

    def named(scope: Any) -> tuple[str, dict[str, Any]]:
        return f"{scope.get('method', '')} {_ID.sub('/{id}', scope.get('path', ''))}".strip(), {}

    return OpenTelemetryMiddleware(
        app, tracer_provider=provider, default_span_details=named, server_request_hook=plain_request,
        exclude_spans=["receive", "send"],
    )  # fmt: skip


def address(scheme: str, host: str, path: str) -> str:
    """What telemetry may know of an address: no query, and ids (a bank's may be an IBAN) as ``{id}``."""
    return f"{scheme}://{host}{_ID.sub('/{id}', path.partition('?')[0])}"


def plain_call(span: Any, request: Any) -> None:
    """An outgoing call, to a service or a bank."""
    url = httpx.URL(str(request.url))
    shown = address(url.scheme, url.netloc.decode(), url.path)
    for name in ("http.url", "url.full"):
        span.set_attribute(name, shown)


def plain_request(span: Any, scope: Scope) -> None:
    """An incoming request. Its caller's address is personal data."""
    shown = address(scope.get("scheme", "http"), scope.get("server", ("", 0))[0], scope.get("path", ""))
    for name, value in {"http.url": shown, "url.full": shown, "http.target": shown, "url.query": ""}.items():
        span.set_attribute(name, value)
    for name in ("net.peer.ip", "client.address", "http.client_ip"):
        span.set_attribute(name, "0.0.0.0")  # noqa: S104  # as Application Insights masks it
