"""The whole of it, by ARM and over the wire: what kill -9 of the embedded Azure costs a SQL server. Nothing kept."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from local.azure.daemons import prepare
from local.instance import Instance
from tests.conftest import _claim
from tests.local.azure.conftest import RunningAzure
from tests.local.azure.dataplanes.sql.conftest import AUDIENCE, Backend, start_postgres


@pytest.fixture
def running(tmp_path: Path) -> Iterator[tuple[RunningAzure, Backend]]:
    """A daemon and a PostgreSQL of its own, whose state lies too deep for the path of a Unix socket."""
    folder = tmp_path / ("deep" * 20) / "state"
    base, claim = _claim(folder)
    instance = Instance(folder, base)
    instance.keep()
    prepare(instance, {})
    backend = start_postgres(instance)
    azure = RunningAzure(instance, json.loads((instance.azure / "deployer.json").read_text()), None)  # type: ignore[arg-type]
    azure.start()
    yield azure, backend
    azure.stop()
    backend.stop()
    claim.close()


def put(client: httpx.Client, path: str, body: dict[str, Any]) -> dict[str, Any]:
    answer = client.put(path, json=body)
    assert answer.status_code in (200, 201, 202), answer.text
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        found = client.get(path).json()
        ended = answer.headers.get("Azure-AsyncOperation")
        if not ended or client.get(ended).json()["status"] == "Succeeded":
            return found if not ended else client.get(path).json()
        time.sleep(0.1)
    raise AssertionError(f"{path} was not made: {answer.text}")


def test_a_kill_of_the_embedded_azure_severs_sessions_and_loses_nothing(
    running: tuple[RunningAzure, Backend],
) -> None:
    azure, _ = running
    group = f"{azure.subscription}/resourceGroups/crash"
    server = f"{group}/providers/Microsoft.Sql/servers/sql-crash"
    versioned = "?api-version=2023-08-01"
    administrators = {
        "administratorType": "ActiveDirectory",
        "principalType": "Application",
        "login": "deployer",
        "sid": azure.deployer["object_id"],
        "tenantId": azure.deployer["tenant_id"],
        "azureADOnlyAuthentication": True,
    }
    with azure.client() as client:
        put(client, group + "?api-version=2024-03-01", {"location": "westeurope"})
        body = {"location": "westeurope", "properties": {"administrators": administrators}}
        name = put(client, server + versioned, body)["properties"]["fullyQualifiedDomainName"]
        put(client, f"{server}/databases/ledger{versioned}", {"location": "westeurope", "properties": {}})
    host, _, port = name.partition(":")

    def connect() -> psycopg.Connection:
        token = azure.credential().get_token(f"{AUDIENCE}/.default").token
        trust = {"sslmode": "verify-full", "sslrootcert": str(azure.instance.ca_bundle)}
        return psycopg.connect(host=host, port=port, dbname="ledger", user="me", password=token, **trust)

    with connect() as session:
        session.execute("CREATE TABLE entry (x int)")
    open_session = connect()
    open_session.execute("INSERT INTO entry VALUES (1)")
    open_session.commit()
    open_session.execute("INSERT INTO entry VALUES (2)")
    azure.kill()
    with pytest.raises(psycopg.OperationalError):
        open_session.commit()
    azure.start()
    with connect() as session:
        assert session.execute("SELECT x FROM entry").fetchall() == [(1,)]
