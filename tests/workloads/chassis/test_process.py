"""A service as a process: up soon, telemetry beside it and never in its way, down when told."""

from __future__ import annotations

import base64
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import psutil
import pytest

from local.instance import REPOSITORY
from tests.workloads.servers import AUDIENCE, Issuer, Postgres


@pytest.fixture(scope="module")
def environment(server: Postgres, issuer: Issuer) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "DATABASE_URL": server.service_url("transaction", "process_transaction"),
        "TOKEN_ISSUER": issuer.url,
        "TOKEN_AUDIENCE": AUDIENCE,
        "DATA_KEY": base64.b64encode(bytes(32)).decode(),
        "ACCOUNT_URL": "http://127.0.0.1:9",
        "CONNECTOR_URL": "http://127.0.0.1:9",
    }


@contextmanager
def running(
    environment: dict[str, str], log: Path, probe_path: str = "/healthz/ready"
) -> Iterator[tuple[str, subprocess.Popen[bytes], float]]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    start, url = time.monotonic(), f"http://127.0.0.1:{port}"
    with log.open("wb") as out:
        command = [sys.executable, "-m", "workloads.services.transaction"]
        told = {**environment, "PORT": str(port)}
        process = subprocess.Popen(command, env=told, cwd=REPOSITORY, stdout=out, stderr=out)
    try:
        while time.monotonic() < start + 90 and process.poll() is None:
            try:
                if httpx.get(url + probe_path, timeout=2).status_code == 200:
                    break
            except httpx.HTTPError:
                time.sleep(0.02)
        used = psutil.Process(process.pid).cpu_times()
        yield url, process, used.user + used.system
    finally:
        process.kill()
        process.wait(10)


def test_it_is_ready_soon_and_stops_when_told(environment: dict[str, str], tmp_path: Path) -> None:
    with running(environment, tmp_path / "log") as (url, process, took):
        assert took < 3, "processor time until ready: 0.7 s on an idle machine, room left for a busy one"
        assert httpx.get(f"{url}/transactions").status_code == 401
        process.send_signal(signal.SIGTERM)
        process.wait(10)
    lines = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]
    assert "stopped" in [each["event"] for each in lines]
    assert {each["service"] for each in lines} == {"transaction"}


def test_telemetry_that_can_not_be_delivered_touches_no_request(environment: dict[str, str], tmp_path: Path) -> None:
    key = "InstrumentationKey=00000000-0000-0000-0000-000000000000;IngestionEndpoint=https://127.0.0.1:9/"
    told = {**environment, "APPLICATIONINSIGHTS_CONNECTION_STRING": key}
    with running(told, tmp_path / "log") as (url, _, took):
        assert took < 4
        deadline = time.monotonic() + 60
        while "telemetry is" not in (tmp_path / "log").read_text() and time.monotonic() < deadline:
            time.sleep(0.1)
        for _ in range(5):
            assert httpx.get(f"{url}/transactions").status_code == 401
    assert "telemetry is on" in (tmp_path / "log").read_text()
    assert "already instrumented" not in (tmp_path / "log").read_text(), "then its own hook masks no address"


def test_without_its_database_it_lives_but_is_not_ready(environment: dict[str, str], tmp_path: Path) -> None:
    told = {**environment, "DATABASE_URL": "postgresql+psycopg://nobody@/none?host=/nonexistent"}
    with running(told, tmp_path / "log", "/healthz/live") as (url, process, _):
        assert process.poll() is None
        assert httpx.get(f"{url}/healthz/live").status_code == 200
        assert httpx.get(f"{url}/healthz/ready", timeout=15).json()["type"] == "/problems/database-unreachable"
