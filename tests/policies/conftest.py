"""An embedded Azure of the policies' own, and programs that the real engine runs against it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from local.azure.daemons import prepare
from local.instance import Instance
from policies.recording import Recording
from tests.captures import Capture
from tests.conftest import _claim
from tests.local.azure.conftest import RunningAzure
from tests.local.plugins.engine import Program
from tests.local.plugins.engine import prepare as prepare_stack


@pytest.fixture(scope="session")
def azure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningAzure]:
    folder = tmp_path_factory.mktemp("policies-state")
    base, claim = _claim(folder)
    instance = Instance(folder, base)
    instance.keep()
    prepare(instance, {})
    deployer = json.loads((instance.azure / "deployer.json").read_text())
    running = RunningAzure(instance, deployer, None)  # type: ignore[arg-type]  # start() sets it
    running.start()
    yield running
    running.stop()
    claim.close()


@pytest.fixture(scope="session")
def prod(captured: Callable[[str], Capture]) -> Recording:
    """The prod stack as the engine hands it to the pack. Tests that ask for it are of the group "recording"."""
    return captured("prod").recording


@pytest.fixture
def arm(azure: RunningAzure) -> Iterator[httpx.Client]:
    """A plain ARM client: the outside look at what was created."""
    with azure.client() as client:
        yield client


@pytest.fixture
def program(tmp_path: Path, azure: RunningAzure) -> Program:
    """A fresh program whose stack is empty."""
    deployer = azure.deployer
    prepare_stack(tmp_path / "program")
    return Program(
        tmp_path / "program",
        {
            "ARM_CLIENT_ID": deployer["client_id"],
            "ARM_CLIENT_SECRET": deployer["client_secret"],
            "ARM_METADATA_HOSTNAME": azure.instance.arm,
            "ARM_SUBSCRIPTION_ID": deployer["subscription_id"],
            "ARM_TENANT_ID": deployer["tenant_id"],
            "SSL_CERT_FILE": str(azure.instance.ca_bundle),
        },
    )
