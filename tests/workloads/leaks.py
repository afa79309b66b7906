"""Where a person's data may not be: what services log, trace, publish, and answer when they refuse."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from fastapi import Response
from opentelemetry.instrumentation.httpx import HTTPXClientInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from tests.workloads.seeded import spelled
from workloads.chassis import problems
from workloads.chassis.events.envelope import Event
from workloads.chassis.span_errors import TypesOfErrors
from workloads.chassis.telemetry import Telemetry, plain_call, traced

_TOKEN = r"eyJ[\w-]{20}"
"""How a JWT begins, whoever's it is."""


@dataclass
class Sinks:
    """What was told. log: of all services. published: on the bus."""

    log: io.StringIO
    published: list[Event]
    refusals: list[str] = field(default_factory=list)
    spans: InMemorySpanExporter = field(default_factory=InMemorySpanExporter)

    def __post_init__(self) -> None:
        self.tracers = TracerProvider(shutdown_on_exit=False)
        self.tracers.add_span_processor(TypesOfErrors())
        self.tracers.add_span_processor(SimpleSpanProcessor(self.spans))

    @property
    def told(self) -> dict[str, str]:
        """All of it, by sink."""
        return {
            "logs": self.log.getvalue(),
            "traces": "\n".join(each.to_json(indent=None) for each in self.spans.get_finished_spans()),
            "events": "\n".join(each.encode() for each in self.published),
            "errors": "\n".join(self.refusals),
        }

    def leaks(self, secrets: Iterable[str]) -> dict[str, set[str]]:
        """Which of the texts stand in which sink, as they are or as JSON spells them; and tokens of anybody."""
        words = "|".join(rf"(?<!\w){re.escape(each)}(?!\w)" for each in spelled(secrets))
        pattern = re.compile(f"{words}|{_TOKEN}")
        return {sink: found for sink, text in self.told.items() if (found := set(pattern.findall(text)))}


@contextmanager
def collected(log: io.StringIO, published: list[Event]) -> Iterator[Sinks]:
    """Everything that services of this process answer and trace until the end, as telemetry would send it."""
    sinks, answer, traces = Sinks(log, published), problems.answer, dict[int, Any]()

    def answered(problem: problems.Problem) -> Response:
        response = answer(problem)
        sinks.refusals.append(bytes(response.body).decode())
        return response

    async def spanned(self: Telemetry, scope: Any, receive: Any, send: Any) -> None:
        app = traces.setdefault(id(self), traced(self._plain, sinks.tracers))
        await (app if scope["type"] == "http" else self._plain)(scope, receive, send)

    instrumentor = HTTPXClientInstrumentor()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(problems, "answer", answered)
        patch.setattr(Telemetry, "__call__", spanned)
        instrumentor.instrument(tracer_provider=sinks.tracers, request_hook=plain_call)
        try:
            yield sinks
        finally:
            instrumentor.uninstrument()
