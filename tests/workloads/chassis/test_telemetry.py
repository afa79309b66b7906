"""Telemetry tells what was called and how it went, and nothing of whom it was about."""

from __future__ import annotations

import httpx
from fastapi import FastAPI
from fastapi.testclient import TestClient
from opentelemetry.instrumentation.httpx import HTTPXClientInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from workloads.chassis.telemetry import plain_call, traced

IBAN = "DE89370400440532013000"


def test_neither_ids_nor_queries_nor_addresses_of_people_are_told() -> None:
    kept, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(kept))

    bank = httpx.MockTransport(lambda request: httpx.Response(200))
    with httpx.Client(transport=bank) as client:
        HTTPXClientInstrumentor.instrument_client(client, provider, request_hook=plain_call)
        client.get(f"https://bank.example/v1/accounts/{IBAN}/transactions?dateFrom=2026-01-01&x={IBAN}")

    app = FastAPI()
    app.get("/accounts/{account}")(lambda account: account)
    with TestClient(traced(app, provider), client=("203.0.113.9", 1)) as caller:
        caller.get(f"/accounts/{IBAN}?q={IBAN}")

    spans = kept.get_finished_spans()
    assert {each.kind.name for each in spans} >= {"CLIENT", "SERVER"}
    told = " ".join(each.to_json() for each in spans)
    assert "https://bank.example/v1/accounts/{id}/transactions" in told
    for secret in (IBAN, "dateFrom", "203.0.113.9"):
        assert secret not in told, secret
