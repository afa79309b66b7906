"""Which request we are in: its id (X-Request-ID) and its trace (W3C Trace Context), across services and in logs."""

from __future__ import annotations

import os
import re
import uuid
from contextvars import ContextVar

_request: ContextVar[str | None] = ContextVar("request_id", default=None)
_trace: ContextVar[str | None] = ContextVar("trace_id", default=None)
_TRACEPARENT = re.compile(r"^00-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}$")


def enter(request_id: str | None, traceparent: str | None) -> None:
    """Take over the caller's ids where they are well-formed, else make new ones."""
    try:
        _request.set(str(uuid.UUID(request_id or "")))
    except ValueError:
        _request.set(str(uuid.uuid4()))
    match = _TRACEPARENT.match(traceparent or "")
    _trace.set(match[1] if match and match[1] != "0" * 32 else os.urandom(16).hex())


def request_id() -> str | None:
    """The id of the present request."""
    return _request.get()


def trace_id() -> str | None:
    """The trace the present request belongs to."""
    return _trace.get()


def outgoing() -> dict[str, str]:
    """Headers that carry both to the next service. OpenTelemetry, where it is on, replaces traceparent by its span."""
    headers = {}
    if request := _request.get():
        headers["X-Request-ID"] = request
    if trace := _trace.get():
        headers["traceparent"] = f"00-{trace}-{os.urandom(8).hex()}-01"
    return headers
