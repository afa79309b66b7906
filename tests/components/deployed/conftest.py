"""Two embedded Azures for blocks that are deployed alone: one of ARM only, and one with the data planes' backends."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from local.azure.daemons import prepare as prepare_azure
from local.commands.daemons import prepare
from local.commands.environment import NotRunning, tools
from local.instance import Instance
from local.plugins.azure_native.settings import PAUSE
from local.supervision.supervisor import Supervisor
from local.toolchain.progress import Progress
from tests.components.deployed.alone import Alone
from tests.components.deployed.blocks import BACKED, REGION
from tests.components.deployed.cloud import Cloud
from tests.components.deployed.handed import hand, hand_backed
from tests.conftest import _claim
from tests.local.azure.conftest import RunningAzure, running_at
from tests.local.plugins.engine import prepare as prepare_stack

_NOT_NEEDED = {"node-agent", "kube-controller-manager", "kube-scheduler"}
_NUMBERS = itertools.count(1)


def _cloud(running: RunningAzure) -> Cloud:
    deployer = running.deployer
    environment = {
        "ARM_CLIENT_ID": deployer["client_id"],
        "ARM_CLIENT_SECRET": deployer["client_secret"],
        "ARM_METADATA_HOSTNAME": running.instance.arm,
        "ARM_SUBSCRIPTION_ID": deployer["subscription_id"],
        "ARM_TENANT_ID": deployer["tenant_id"],
        "AZURE_AUTHORITY_HOST": running.url,
        "AZURE_CLIENT_ID": deployer["client_id"],
        "AZURE_CLIENT_SECRET": deployer["client_secret"],
        "AZURE_TENANT_ID": deployer["tenant_id"],
        "SSL_CERT_FILE": str(running.instance.ca_bundle),
        # Faults are many here, and how long one waits after them protects nothing.
        PAUSE: "0.02",
        "REQUESTS_CA_BUNDLE": str(running.instance.ca_bundle),
    }
    return Cloud(running.instance, running.client(), environment)


def _instance(folder: Path) -> tuple[Instance, Any]:
    base, claim = _claim(folder)
    instance = Instance(folder, base)
    instance.keep()
    return instance, claim


@pytest.fixture(scope="session")
def manager(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Cloud, dict[str, str]]]:
    """ARM only, and what blocks are handed there."""
    instance, claim = _instance(tmp_path_factory.mktemp("manager"))
    prepare_azure(instance, {})
    running = running_at(instance)
    running.start()
    cloud = _cloud(running)
    try:
        yield cloud, hand(cloud)
    finally:
        cloud.arm.close()
        running.stop()
        claim.close()


@pytest.fixture(scope="session")
def backed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Cloud, dict[str, str]]]:
    """With databases, blobs, a broker and an API server behind it."""
    try:
        known = tools(Instance.load())
    except NotRunning as error:
        pytest.skip(str(error))
    instance, claim = _instance(tmp_path_factory.mktemp("backed"))
    supervisor = Supervisor(instance, Progress())
    try:
        supervisor.up([each for each in prepare(instance, known) if each.name not in _NOT_NEEDED])
        cloud = _cloud(running_at(instance))
        yield cloud, hand(cloud) | hand_backed(cloud)
        cloud.arm.close()
    finally:
        supervisor.down()
        claim.close()


@pytest.fixture(scope="session")
def emptied(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A stack without resources, to be copied."""
    folder = tmp_path_factory.mktemp("engine") / "empty"
    prepare_stack(folder)
    return folder


@pytest.fixture
def alone(request: pytest.FixtureRequest, tmp_path: Path, emptied: Path) -> Iterator[Callable[[str], Alone]]:
    """Makes the program of a block, in a resource group of its own that is cleared afterwards."""
    made: list[Alone] = []

    def make(block: str) -> Alone:
        cloud, handed = request.getfixturevalue("backed" if block in BACKED else "manager")
        suffix = f"t{next(_NUMBERS):03d}"
        cloud.put(f"resourceGroups/rg-{suffix}", {"location": REGION})
        folder = tmp_path / suffix
        shutil.copytree(emptied, folder)
        made.append(Alone(cloud, folder, block, suffix, handed))
        return made[-1]

    yield make
    for each in made:
        each.cloud.plan()
        each.cloud.clear(each.made() | each.group)
