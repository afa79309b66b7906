"""An embedded Azure with control plane and node for a session, and the program deployed on it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.commands.daemons import prepare
from local.commands.down import down
from local.commands.environment import NotRunning, tools
from local.instance import Instance
from local.supervision.supervisor import Supervisor
from local.toolchain import plugins
from local.toolchain.cache import write
from local.toolchain.progress import Progress
from tests.conftest import _claim
from tests.engine.deployment import Deployment


@pytest.fixture(scope="session")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """Daemons that run, and a copy of the program; no stack yet."""
    try:
        known = tools(Instance.load())
    except NotRunning as error:
        pytest.skip(str(error))
    state = tmp_path_factory.mktemp("engine-state")
    base, claim = _claim(state)
    instance = Instance(state, base)
    instance.keep()
    write(state / "tools.json", json.dumps(known))
    write(state / "stand-ins.json", json.dumps(plugins.write_launchers(instance.bin, known, set())))
    progress = Progress()
    try:
        Supervisor(instance, progress).up(prepare(instance, known))
        yield Deployment(instance, tmp_path_factory.mktemp("program"))
    finally:
        down(instance, progress)
        claim.close()


@pytest.fixture(scope="module")
def deployed(deployment: Deployment) -> Deployment:
    """The stack "local", as an update leaves it: made on first use, made anew when a test destroyed it."""
    file: Path = deployment.folder / "Pulumi.local.yaml"
    if not file.exists():
        deployment.configure("local", "local")
    if not deployment.state("local"):
        deployment.run("up", "local")
    return deployment
