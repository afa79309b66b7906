"""Fixtures of the services' tests: one PostgreSQL and one token issuer a test process; sandbox banks and services."""

from __future__ import annotations

import base64
import io
import os
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from tests.workloads.contract import DOCUMENT, Contract
from tests.workloads.memory_bus import MemoryBus
from tests.workloads.mssql import Recorder
from tests.workloads.platform import Platform, start
from tests.workloads.servers import AUDIENCE, Issuer, Postgres, Servers, postgres
from workloads.chassis import logs
from workloads.services.bank_sandbox import api as bank_api
from workloads.services.bank_sandbox.settings import SandboxSettings
from workloads.services.connector.transport import Transport

LOG = io.StringIO()
"""What all services of this test process have logged."""


@pytest.fixture(scope="session", autouse=True)
def _logs() -> None:
    logs.configure("tests", stream=LOG)


@pytest.fixture(scope="module", autouse=True)
def statements() -> Iterator[Recorder]:
    """Every statement of a file's tests is compiled for Azure SQL too; one that can't be is an error.

    A file's and no longer: other tests of the same process speak PostgreSQL's own language to PostgreSQL.
    """
    recorder = Recorder()
    recorder.listen()
    yield recorder
    recorder.stop()
    assert recorder.faults == []


@pytest.fixture(scope="module", autouse=True)
def _requests_to_banks() -> Iterator[None]:
    """Every request to a sandbox bank is judged by the Berlin Group's document, where that is at hand."""
    faults: list[str] = []
    send = Transport._send

    def judged(self: Transport, asked: Any, content: bytes | None) -> Any:
        if "/v1/" in asked.url and self.profile.id.startswith(("aurora", "borealis")):
            body = (content or b"").decode()
            faults.extend(Contract.of(DOCUMENT).faults(asked.method, asked.url, asked.headers, body))
        return send(self, asked, content)

    if not DOCUMENT.exists():
        yield
        return
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Transport, "_send", judged)
        yield
    assert faults == []


@pytest.fixture
def log() -> io.StringIO:
    """What the services have logged so far."""
    return LOG


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    """A real PostgreSQL."""
    import tempfile
    from pathlib import Path

    # A Unix socket's path has at most 107 characters: pytest's own folders are too deep.
    with tempfile.TemporaryDirectory(prefix="trb", dir="/tmp") as folder, postgres(Path(folder)) as running:
        yield running


@pytest.fixture(scope="session")
def issuer() -> Iterator[Issuer]:
    """A token issuer."""
    running = Issuer()
    yield running
    running.close()


@pytest.fixture(scope="session")
def servers() -> Iterator[Servers]:
    """Starts services."""
    running = Servers()
    yield running
    running.close()


@pytest.fixture(scope="session")
def user_settings(issuer: Issuer) -> dict[str, str]:
    """Settings that every service with users has."""
    key = base64.b64encode(os.urandom(32)).decode()
    return {"token_issuer": issuer.url, "token_audience": AUDIENCE, "data_key": key}


@pytest.fixture(scope="session")
def sandbox(server: Postgres, servers: Servers) -> Callable[[str], str]:
    """Base URL of a sandbox bank by its data set."""
    started: dict[str, str] = {}

    def start(name: str) -> str:
        if name not in started:
            url = server.service_url("bank_sandbox", f"bank_{name}")
            settings = SandboxSettings.load({"DATABASE_URL": url, "SANDBOX_BANK": name})
            started[name] = servers.serve(bank_api.build(settings))
        return started[name]

    return start


@pytest.fixture
def browser() -> Iterator[httpx.Client]:
    """A person's browser: no tokens."""
    with httpx.Client(follow_redirects=False, timeout=10) as client:
        yield client


@pytest.fixture(scope="session")
def _running(
    server: Postgres, servers: Servers, issuer: Issuer, user_settings: dict[str, str], sandbox: Callable[[str], str]
) -> tuple[dict[str, str], MemoryBus, dict[str, Any]]:
    banks = {each: sandbox(each) for each in ("aurora", "borealis")}
    urls, bus, states = start(server, servers, issuer, user_settings, banks, "platform")
    return banks | urls, bus, states


@pytest.fixture
def platform(
    _running: tuple[dict[str, str], MemoryBus, dict[str, Any]], issuer: Issuer, browser: httpx.Client
) -> Platform:
    """All services and two sandbox banks, over HTTP, and the bus between them."""
    urls, bus, states = _running
    return Platform(urls, issuer, browser, bus, states)
