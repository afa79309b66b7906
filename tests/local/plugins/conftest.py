"""An embedded Azure and a control plane of the plugins' own, and the plugins as the engine starts them."""

from __future__ import annotations

import json
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from local.azure.daemons import prepare
from local.instance import Instance
from local.plugins.azure_native.settings import PAUSE
from tests.conftest import _claim
from tests.local.azure.conftest import RunningAzure
from tests.local.kubernetes.running import ControlPlane
from tests.local.plugins.engine import Program
from tests.local.plugins.engine import prepare as prepare_stack
from tests.local.plugins.plugin import Plugin


@pytest.fixture(scope="session")
def own_instance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    """Beside the session's instance, which other tests may be using."""
    folder = tmp_path_factory.mktemp("plugins-state")
    base, claim = _claim(folder)
    fresh = Instance(folder, base)
    fresh.keep()
    yield fresh
    claim.close()


@pytest.fixture(scope="session")
def azure(own_instance: Instance) -> Iterator[RunningAzure]:
    prepare(own_instance, {})
    deployer = json.loads((own_instance.azure / "deployer.json").read_text())
    running = RunningAzure(own_instance, deployer, None)  # type: ignore[arg-type]  # start() sets it
    running.start()
    yield running
    running.stop()


@pytest.fixture(scope="session")
def arm(azure: RunningAzure) -> Iterator[httpx.Client]:
    """A plain ARM client: the outside look at what a plugin did."""
    with azure.client() as client:
        yield client


@pytest.fixture(scope="session")
def azure_environment(azure: RunningAzure) -> dict[str, str]:
    """What a plugin is told of the embedded Azure."""
    deployer = azure.deployer
    return {
        "ARM_CLIENT_ID": deployer["client_id"],
        "ARM_CLIENT_SECRET": deployer["client_secret"],
        "ARM_METADATA_HOSTNAME": azure.instance.arm,
        "ARM_SUBSCRIPTION_ID": deployer["subscription_id"],
        "ARM_TENANT_ID": deployer["tenant_id"],
        "SSL_CERT_FILE": str(azure.instance.ca_bundle),
    }


@pytest.fixture(scope="session")
def azure_native(azure_environment: dict[str, str]) -> Iterator[Plugin]:
    # How long one waits before asking again protects nothing here.
    plugin = Plugin("azure_native", {**azure_environment, PAUSE: "0.02"}, {})
    yield plugin
    plugin.stop()


@pytest.fixture(scope="session")
def kubernetes(control_plane: ControlPlane) -> Iterator[Plugin]:
    plugin = Plugin("kubernetes", {}, {"kubeconfig": str(control_plane.instance.kubeconfig)})
    yield plugin
    plugin.stop()


@pytest.fixture
def namespace(control_plane: ControlPlane) -> Iterator[str]:
    """A namespace of one test."""
    name = f"test-{uuid.uuid4().hex[:8]}"
    control_plane.kubectl("create", "namespace", name)
    control_plane.until(lambda: control_plane.get("serviceaccount", "default", name))
    yield name
    control_plane.kubectl("delete", "namespace", name, "--wait=false")


@pytest.fixture(scope="session")
def empty_stack(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("engine") / "empty"
    prepare_stack(folder)
    return folder


@pytest.fixture
def program(tmp_path: Path, empty_stack: Path, azure_environment: dict[str, str]) -> Program:
    """A fresh program whose stack is empty."""
    folder = tmp_path / "program"
    shutil.copytree(empty_stack, folder)
    return Program(folder, azure_environment)


@pytest.fixture
def group(azure: RunningAzure, arm: httpx.Client, request: pytest.FixtureRequest) -> Iterator[str]:
    """A resource group of one test."""
    name = "rg-" + request.node.name.replace("_", "-").replace("[", "-").replace("]", "")[:60].strip("-")
    path = f"{azure.subscription}/resourceGroups/{name}?api-version=2024-03-01"
    assert arm.put(path, json={"location": "northeurope"}).is_success
    yield name
    arm.delete(path)


def resources_of(arm: httpx.Client, azure: RunningAzure) -> list[Any]:
    """Every resource group there is."""
    answer = arm.get(f"{azure.subscription}/resourceGroups?api-version=2024-03-01")
    return [each["name"] for each in answer.json()["value"]]
