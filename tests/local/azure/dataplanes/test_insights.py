"""Telemetry from Azure's own distribution for OpenTelemetry, and from bare requests."""

from __future__ import annotations

import gzip
import json
import os
import ssl
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from local.azure.context import Resource
from local.azure.dataplanes import traces
from local.azure.dataplanes.insights.store import Item, TelemetryReader, TelemetryStore
from local.instance import REPOSITORY
from tests.local.azure.dataplanes.conftest import Embedded

COMPONENTS = "Microsoft.Insights/components"
PUBLISHER = "Monitoring Metrics Publisher"
SERVICE = """
import logging, os, sys
from azure.identity import ClientSecretCredential
from azure.monitor.opentelemetry import configure_azure_monitor
from opentelemetry import trace
from opentelemetry.trace import SpanKind

credential = ClientSecretCredential(
    os.environ["TENANT"], os.environ["CLIENT"], os.environ["SECRET"], authority=os.environ["AUTHORITY"],
    disable_instance_discovery=True,
)
own = {name: {"enabled": False} for name in ("requests", "urllib", "urllib3")}
configure_azure_monitor(
    credential=credential, disable_offline_storage=True, logger_name="service", instrumentation_options=own,
    sampling_ratio=1.0,  # by itself it keeps five traces a second
)
logger = logging.getLogger("service")
tracer = trace.get_tracer("service")
with tracer.start_as_current_span("GET /transactions", kind=SpanKind.SERVER) as span:
    span.set_attribute("http.request.method", "GET")
    span.set_attribute("http.response.status_code", 200)
    print(format(span.get_span_context().trace_id, "032x"))
    with tracer.start_as_current_span("call the connector", kind=SpanKind.CLIENT):
        logger.warning("one bank is slow")
    try:
        raise ValueError("no such account")
    except ValueError as error:
        span.record_exception(error)
trace.get_tracer_provider().force_flush()
logging.shutdown()
from opentelemetry._logs import get_logger_provider
get_logger_provider().force_flush()
"""


def _component(embedded: Embedded, *, local: bool = False) -> Resource:
    body = {"kind": "web", "properties": {"Application_Type": "web", "DisableLocalAuth": not local}}
    return embedded.put(COMPONENTS, f"appi-{uuid.uuid4().hex[:8]}", body)


@pytest.fixture
def plain(embedded: Embedded) -> Iterator[httpx.Client]:
    trust = ssl.create_default_context(cafile=str(embedded.instance.ca_bundle))
    with httpx.Client(verify=trust, base_url=f"https://127.0.0.1:{embedded.instance.port('insights')}") as client:
        yield client


def _envelope(component: Resource, operation: str = "", **more: Any) -> dict[str, Any]:
    return {
        "ver": 1,
        "name": "Microsoft.ApplicationInsights.Request",
        "time": "2026-01-02T03:04:05.678Z",
        "iKey": component.properties["InstrumentationKey"],
        "tags": {"ai.operation.id": operation, "ai.cloud.role": "service"},
        "data": {
            "baseType": "RequestData",
            "baseData": {
                "ver": 2,
                "id": uuid.uuid4().hex[:16],
                "name": "GET /",
                "duration": "0.00:00:01.500",
                "responseCode": "200",
                "success": True,
            },
        },
        **more,
    }


def _token(embedded: Embedded, *granted: tuple[str, str]) -> dict[str, str]:
    token = embedded.identity(*granted).credential.get_token("https://monitor.azure.com//.default").token
    return {"Authorization": f"Bearer {token}"}


def test_the_distributions_telemetry_arrives_as_a_tree(
    embedded: Embedded, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    component = _component(embedded)
    secret = uuid.uuid4().hex
    principal = embedded.run(_add(embedded, secret))
    identity = embedded.identity()
    identity.principal = principal
    identity.grant(PUBLISHER, component.id)
    environment = os.environ | {
        "TENANT": embedded.daemon.directory.tenant_id,
        "CLIENT": str(principal.client_id),
        "SECRET": secret,
        "AUTHORITY": f"https://{embedded.instance.arm}",
        "APPLICATIONINSIGHTS_CONNECTION_STRING": component.properties["ConnectionString"],
        "APPLICATIONINSIGHTS_STATSBEAT_DISABLED_ALL": "true",
        "APPLICATIONINSIGHTS_CONTROLPLANE_DISABLED": "true",
        "OTEL_SERVICE_NAME": "transaction",
        "OTEL_METRICS_EXPORTER": "none",
        "REQUESTS_CA_BUNDLE": str(embedded.instance.ca_bundle),
        "SSL_CERT_FILE": str(embedded.instance.ca_bundle),
    }
    ran = subprocess.run(
        [sys.executable, "-c", SERVICE], env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=60
    )
    assert ran.returncode == 0, ran.stderr
    operation = ran.stdout.split()[0]
    reader = TelemetryReader(embedded.instance.azure)
    kinds = sorted(item.kind for item in reader.items(operation))
    assert kinds == ["Exception", "Message", "RemoteDependency", "Request"], ran.stderr
    state = ["--state", str(embedded.instance.state)]
    assert traces.main([*state, "--operation", operation[:12]]) == 0
    shown = capsys.readouterr().out.splitlines()
    assert operation in shown[0]
    assert shown[1].startswith("  GET /transactions 200")
    assert shown[1].endswith("[transaction]")
    assert any(line.startswith("  ├─ ") and "call the connector" in line for line in shown)
    assert any(line.startswith("  │  └─ WARNING one bank is slow") for line in shown)
    assert any(line.startswith("  └─ EXCEPTION ValueError: no such account") for line in shown)
    assert traces.main([*state, "--operation", operation, "--json"]) == 0
    assert {json.loads(line)["role"] for line in capsys.readouterr().out.splitlines()} == {"transaction"}
    for path in embedded.instance.azure.glob("insights.db*"):
        kept = path.read_bytes()
        assert secret.encode() not in kept
        assert b"eyJ" not in kept  # how every token begins


async def _add(embedded: Embedded, secret: str) -> Any:
    return embedded.daemon.directory.add(f"test-{uuid.uuid4().hex[:6]}", "ServicePrincipal", secret=secret)


def test_a_component_without_local_auth_takes_tokens_of_publishers_only(
    embedded: Embedded, plain: httpx.Client
) -> None:
    component = _component(embedded)
    body = [_envelope(component)]
    assert plain.post("/v2.1/track", json=body).status_code == 401
    assert plain.post("/v2.1/track", json=body, headers=_token(embedded)).status_code == 403
    reader = ("Reader", component.id)
    assert plain.post("/v2.1/track", json=body, headers=_token(embedded, reader)).status_code == 403
    accepted = plain.post("/v2.1/track", json=body, headers=_token(embedded, (PUBLISHER, component.id)))
    assert (accepted.status_code, accepted.json()["itemsAccepted"]) == (200, 1)
    storage = embedded.identity((PUBLISHER, component.id)).credential.get_token("https://storage.azure.com/.default")
    wrong = plain.post("/v2.1/track", json=body, headers={"Authorization": f"Bearer {storage.token}"})
    assert wrong.status_code == 401


def test_a_component_with_local_auth_takes_its_key(embedded: Embedded, plain: httpx.Client) -> None:
    component = _component(embedded, local=True)
    lines = "\n".join(json.dumps(_envelope(component)) for _ in range(3))
    headers = {"Content-Encoding": "gzip", "Content-Type": "application/x-json-stream"}
    answer = plain.post("/v2/track", content=gzip.compress(lines.encode()), headers=headers)
    assert answer.json() == {"itemsReceived": 3, "itemsAccepted": 3, "errors": []}
    unknown = plain.post("/v2/track", json=[_envelope(component, iKey=str(uuid.uuid4()))])
    assert unknown.status_code == 400
    assert unknown.json()["errors"][0]["message"] == "Invalid instrumentation key"


def test_what_is_wrong_with_a_part_is_told_and_the_rest_is_kept(embedded: Embedded, plain: httpx.Client) -> None:
    component = _component(embedded, local=True)
    operation = uuid.uuid4().hex
    broken = _envelope(component, operation)
    del broken["data"]["baseData"]["duration"]
    strange = _envelope(component, operation, data={"baseType": "FutureData", "baseData": {}})
    large = _envelope(component, operation)
    large["data"]["baseData"]["name"] = "x" * 70_000
    answer = plain.post("/v2.1/track", json=[broken, _envelope(component, operation), strange, large])
    assert answer.status_code == 206
    told = answer.json()
    assert (told["itemsReceived"], told["itemsAccepted"]) == (4, 1)
    assert [error["index"] for error in told["errors"]] == [0, 2, 3]
    assert "duration" in told["errors"][0]["message"]
    assert len(TelemetryReader(embedded.instance.azure).items(operation)) == 1
    assert plain.post("/v2.1/track", content=b"not json").status_code == 400
    assert plain.post("/v2.1/track", content=b"").status_code == 400


def test_live_metrics_are_told_that_nobody_watches(embedded: Embedded, plain: httpx.Client) -> None:
    component = _component(embedded)
    url = f"/QuickPulseService.svc/ping?ikey={component.properties['InstrumentationKey']}"
    assert plain.post(url, json={}).status_code == 401
    answer = plain.post(url, json={}, headers=_token(embedded, (PUBLISHER, component.id)))
    assert answer.status_code == 200
    assert answer.headers["x-ms-qps-subscribed"] == "false"


def test_the_oldest_telemetry_makes_room(tmp_path: Path) -> None:
    store = TelemetryStore(tmp_path, largest=400_000)
    now = time.time()
    for number in range(60):
        items = [
            Item("c", "Request", f"2026-01-01T00:{number:02}:00", f"op{number:03}", "", str(i), "r", {"x": "y" * 900})
            for i in range(20)
        ]
        store.add(items)
    store.prune()
    reader = TelemetryReader(tmp_path)
    kept = reader.operations(1000)
    assert kept[-1] == "op059"
    assert "op000" not in kept
    assert (tmp_path / "insights.db").stat().st_size < 3 * 400_000
    assert time.time() - now < 20
    store.close()


@pytest.mark.parametrize(
    ("duration", "expected"),
    [("0.00:00:01.500", 1500), ("00:00:00.0123", 12.3), ("1.01:00:00", 90_000_000), ("nonsense", 0), (None, 0)],
)
def test_a_time_span_is_read_in_milliseconds(duration: object, expected: float) -> None:
    assert traces.milliseconds(duration) == pytest.approx(expected)


def test_items_whose_parents_are_unknown_or_circular_are_shown_once() -> None:
    def item(own: str, parent: str) -> Item:
        return Item("c", "Request", "2026-01-01T00:00:00", "op", parent, own, "r", {"name": own})

    items = [item("a", "elsewhere"), item("b", "a"), item("c", "c"), item("d", "e"), item("e", "d")]
    shown = [each.item for _, each in traces.tree(items)]
    assert sorted(shown) == ["a", "b", "c", "d", "e"]


def test_traces_say_what_to_do_when_there_are_none(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "local.azure.dataplanes.traces", "--state", str(tmp_path)]
    ran = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=30)
    assert ran.returncode == 1
    assert "make up" in ran.stderr
