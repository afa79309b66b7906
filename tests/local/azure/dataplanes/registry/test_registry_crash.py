"""The whole of it, by ARM and over the wire: images outlive a kill of the embedded Azure, at the same address."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from azure.containerregistry import ContainerRegistryClient

from local.azure.daemons import prepare
from local.azure.dataplanes import registry
from local.instance import Instance
from tests import programs
from tests.conftest import _claim
from tests.local.azure.conftest import RunningAzure
from tests.local.azure.dataplanes.registry.conftest import push
from tests.local.azure.dataplanes.sql.conftest import Backend
from tests.local.azure.dataplanes.sql.test_sql_crash import put


@pytest.fixture
def running(tmp_path: Path) -> Iterator[RunningAzure]:
    base, claim = _claim(tmp_path)
    instance = Instance(tmp_path / "state", base)
    instance.keep()
    prepare(instance, {})
    (daemon,) = registry.daemons(instance, programs.needed("registry"))
    backend = Backend(daemon, instance.logs / "registry.log")
    azure = RunningAzure(instance, json.loads((instance.azure / "deployer.json").read_text()), None)  # type: ignore[arg-type]
    azure.start()
    yield azure
    azure.stop()
    backend.stop()
    claim.close()


def test_images_outlive_a_kill_of_the_embedded_azure(running: RunningAzure) -> None:
    group = f"{running.subscription}/resourceGroups/images"
    path = f"{group}/providers/Microsoft.ContainerRegistry/registries/acrCrash?api-version=2023-07-01"
    with running.client() as client:
        put(client, group + "?api-version=2024-03-01", {"location": "westeurope"})
        body = {"location": "westeurope", "sku": {"name": "Premium"}, "properties": {"adminUserEnabled": False}}
        server = put(client, path, body)["properties"]["loginServer"]
        refused = client.put(path, json={**body, "properties": {"adminUserEnabled": True}})
        assert (refused.status_code, refused.json()["error"]["target"]) == (400, "properties.adminUserEnabled")

    def connect() -> ContainerRegistryClient:
        trust = str(running.instance.ca_bundle)
        return ContainerRegistryClient(f"https://{server}", running.credential(), connection_verify=trust)

    pushed = push(connect(), "team/app", b"layer", tag="v1")
    running.kill()
    running.start()
    assert connect().get_manifest("team/app", "v1").digest == pushed
    with running.client() as client:
        assert client.delete(path).status_code in (200, 202, 204)
