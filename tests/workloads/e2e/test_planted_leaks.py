"""A leak that is planted is found, whatever leaks and wherever to: the scans that find none can fail."""

from __future__ import annotations

import io
import sqlite3
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
import structlog
from fastapi.testclient import TestClient
from starlette.types import Receive, Scope, Send

from local.instance import Instance
from tests.end_to_end.stores import _BLOCK, Stores, files_with, rows_with
from tests.workloads import conftest
from tests.workloads.leaks import Sinks, collected
from tests.workloads.memory_bus import MemoryBus
from tests.workloads.seeded import ibans, words
from tests.workloads.servers import ADMINISTRATOR, Issuer, Postgres
from workloads.chassis import logs, problems, redaction
from workloads.chassis.events.envelope import Event
from workloads.chassis.problems import Problem
from workloads.chassis.telemetry import traced

IBAN, NAME, EMAIL, OTP = max(ibans()), "Lindenhof Hausverwaltung", "anna@tributary.test", "7319402658"
KINDS = ("iban", "name", "token", "e-mail", "one-time password")


@pytest.fixture(scope="module")
def secrets(issuer: Issuer) -> dict[str, str]:
    assert NAME in words()
    return dict(zip(KINDS, (IBAN, NAME, issuer.token("planted"), EMAIL, OTP), strict=True))


@pytest.fixture
def sinks(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sinks]:
    """Sinks of their own, and logs that mask nothing."""
    log, bus = io.StringIO(), MemoryBus({})
    logs.configure("planted", stream=log)
    monkeypatch.setattr(redaction, "value", lambda item, name="": item)
    with collected(log, bus.published) as found:
        yield found
    logs.configure("tests", stream=conftest.LOG)


def log_it(sinks: Sinks, secret: str) -> None:
    structlog.get_logger("x").info("paid", to=secret)


def trace_it(sinks: Sinks, secret: str) -> None:
    with sinks.tracers.get_tracer("x").start_as_current_span("paid") as span:
        span.set_attribute("to", secret)


def publish_it(sinks: Sinks, secret: str) -> None:
    sinks.published.append(Event.new("x", "person.paid", uuid.uuid4(), {"to": secret}))


def answer_it(sinks: Sinks, secret: str) -> None:
    problems.answer(Problem(409, "refused", f"{secret} is refused."))


PLANTS: dict[str, Callable[[Sinks, str], None]] = {
    "logs": log_it, "traces": trace_it, "events": publish_it, "errors": answer_it,
}  # fmt: skip


@pytest.mark.parametrize("sink", PLANTS)
@pytest.mark.parametrize("kind", KINDS)
def test_what_is_planted_in_a_sink_is_found_there_and_nowhere_else(
    sinks: Sinks, secrets: dict[str, str], sink: str, kind: str
) -> None:
    for plant in PLANTS.values():
        plant(sinks, "nothing")
    assert sinks.leaks(secrets.values()) == {}
    PLANTS[sink](sinks, secrets[kind])
    assert set(sinks.leaks(secrets.values())) == {sink}


@pytest.mark.parametrize("kind", KINDS)
def test_what_an_unforeseen_error_says_is_in_no_trace(sinks: Sinks, secrets: dict[str, str], kind: str) -> None:
    async def fail(scope: Scope, receive: Receive, send: Send) -> None:
        raise ValueError(f"not understood: {secrets[kind]}")

    TestClient(traced(fail, sinks.tracers), raise_server_exceptions=False).get("/")
    assert '"exception.type": "ValueError"' in sinks.told["traces"]
    assert sinks.leaks(secrets.values()) == {}


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_planted_in_a_database_is_found_be_it_text_or_bytes(
    server: Postgres, secrets: dict[str, str], kind: str
) -> None:
    name, secret = f"planted_{KINDS.index(kind)}", secrets[kind]
    server.create(name)
    with psycopg.connect(dbname=name, host=str(server.socket_folder), user=ADMINISTRATOR) as database:
        for column in ("text", "bytea", "jsonb"):
            database.execute(f"CREATE TABLE in_{column} (it {column})")  # type: ignore[arg-type]  # names of our own
        assert rows_with(database, secrets.values()) == {}
        database.execute("INSERT INTO in_text VALUES (%s)", [f"to {secret}"])
        database.execute("INSERT INTO in_bytea VALUES (%s)", [f"to {secret}".encode()])
        database.execute("INSERT INTO in_jsonb VALUES (jsonb_build_object('to', %s::text))", [secret])
        assert rows_with(database, secrets.values()) == {"in_text": 1, "in_bytea": 1, "in_jsonb": 1}


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_planted_in_a_blob_the_bus_a_log_or_telemetry_is_found(
    tmp_path: Path, secrets: dict[str, str], kind: str
) -> None:
    stores, secret = Stores(Instance(tmp_path)), secrets[kind]
    for folder in ("azure", "azurite", "log", "kubernetes/pods/x"):
        (tmp_path / folder).mkdir(parents=True)
    with sqlite3.connect(tmp_path / "azure/servicebus.db") as bus:
        bus.execute("CREATE TABLE messages (properties BLOB, application BLOB, body BLOB, annotations BLOB)")
    assert stores.messages_with(secret) == 0
    with sqlite3.connect(tmp_path / "azure/servicebus.db") as bus:
        bus.execute("INSERT INTO messages VALUES ('', '', ?, '')", [f"to {secret}".encode()])
    assert stores.messages_with(secret) == 1
    assert {name for name, _ in files_with(stores.bus, secrets.values())} == {"servicebus.db"}
    with sqlite3.connect(tmp_path / "azure/insights.db") as telemetry:
        telemetry.execute("CREATE TABLE telemetry (body TEXT)")
        telemetry.execute("INSERT INTO telemetry VALUES (?)", [f'{{"to": "{secret}"}}'])
    assert files_with(stores.logs, secrets.values()) == {("insights.db", secret)}
    (tmp_path / "log/x.log").write_text(secret)
    (tmp_path / "kubernetes/pods/x/output.log").write_text("x" * (_BLOCK - 3) + secret)
    assert {name for name, _ in files_with(stores.logs, [secret])} == {"insights.db", "x.log", "output.log"}
    (tmp_path / "azurite/a.blob").write_bytes(b"\0" + secret.encode() + b"\0")
    assert files_with(stores.blobs, secrets.values()) == {("a.blob", secret)}
