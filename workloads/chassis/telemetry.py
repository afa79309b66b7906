"""Telemetry: requests and outgoing calls to Application Insights, started beside the service so that it never waits.

The exporter takes a second of processor time to import. A thread does that after the service is up; until then, and
whenever telemetry fails, requests pass untouched.
"""

from __future__ import annotations

import os
import threading
from typing import Any

import structlog
from starlette.types import ASGIApp, Receive, Scope, Send

from workloads.chassis.credential import credential

_log = structlog.get_logger(__name__)
_UNUSED = ("azure_sdk", "django", "fastapi", "flask", "psycopg2", "requests", "urllib", "urllib3")


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
        from opentelemetry.instrumentation.asgi import OpenTelemetryMiddleware
        from opentelemetry.instrumentation.httpx import HTTPXClientInstrumentor

        configure_azure_monitor(
            connection_string=self._connection,
            credential=credential(),
            disable_logging=True,
            disable_metrics=True,
            enable_live_metrics=False,
            enable_performance_counters=False,
            instrumentation_options={name: {"enabled": False} for name in _UNUSED},
        )
        HTTPXClientInstrumentor().instrument(request_hook=_without_query)
        _log.info("telemetry is on")
        return OpenTelemetryMiddleware(self._plain, exclude_spans=["receive", "send"])


def _without_query(span: Any, request: Any) -> None:
    """A bank's query names dates and cursors: no business of telemetry."""
    scheme, host, port, path = request.url.scheme, request.url.host, request.url.port, request.url.path
    address = f"{scheme.decode() if isinstance(scheme, bytes) else scheme}://{host}:{port}{path}"
    for name in ("http.url", "url.full"):
        span.set_attribute(name, address.partition("?")[0])
