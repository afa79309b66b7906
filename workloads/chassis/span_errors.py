"""Errors in spans: their type alone. What an exception says may be of a person; the log tells it, redacted."""

from __future__ import annotations

from opentelemetry.sdk.trace import Event, ReadableSpan, SpanProcessor
from opentelemetry.trace import Status

_TYPE = "exception.type"


class TypesOfErrors(SpanProcessor):
    """Takes messages and stack traces out of spans before the processors that come after it see them."""

    def on_end(self, span: ReadableSpan) -> None:
        """Leave an exception's type of its event, and of the status its code."""
        # OpenTelemetry lets instrumentations record exceptions as they are, and a processor only read: hence the
        # private names, of which tests/workloads/chassis/test_telemetry.py tells when they go.
        span._events = tuple(_type_alone(each) if _TYPE in (each.attributes or {}) else each for each in span.events)
        if span.status.description:
            span._status = Status(span.status.status_code)


def _type_alone(event: Event) -> Event:
    return Event(event.name, {_TYPE: (event.attributes or {})[_TYPE]}, event.timestamp)
