"""Killed daemons and interrupted updates: the next `make up` ends the same, and nothing is lost."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from local.commands import engine
from local.commands.daemons import prepare
from local.commands.down import down
from local.commands.environment import NotRunning, tools
from local.instance import REPOSITORY, Instance
from local.supervision import processes
from local.supervision.supervisor import Supervisor
from local.toolchain.cache import write
from local.toolchain.progress import Progress
from tests.conftest import _claim
from tests.end_to_end.platform import person_at
from tests.engine.deployment import Deployment
from tests.workloads.platform import Platform

# A whole platform comes up within each of them, and every daemon of it goes down.
pytestmark = [pytest.mark.full, pytest.mark.timeout(900)]


def _daemon(instance: Instance, name: str) -> list[psutil.Process]:
    """The processes of a daemon, found by what supervisord says of it."""
    supervisor = Supervisor(instance, Progress())
    known = supervisor._call("getProcessInfo", name)["pid"]
    return [psutil.Process(known)]


def _soon(platform: Platform, person: str) -> list[dict[str, Any]]:
    """The history once the services answer again: sessions that a kill severed are opened anew on the next request."""
    until = time.monotonic() + 60
    while True:
        try:
            return platform.ledger(person)
        except (AssertionError, httpx.TransportError):
            if time.monotonic() > until:
                raise
        time.sleep(0.2)


def test_a_killed_daemon_costs_nothing_that_was_there(deployed: Deployment) -> None:
    instance = deployed.instance
    supervisor = Supervisor(instance, Progress())
    with person_at(instance, deployed.outputs("local")) as platform:
        person = f"anna-{uuid.uuid4().hex[:8]}"
        for bank in ("aurora", "borealis"):
            platform.connect(person, bank)
        platform.until_read(person, 2)
        platform.synchronise(person)
        before = platform.ledger(person)
        assert len(before) > 200
        for name in sorted(supervisor.states()):
            for each in _daemon(instance, name):
                each.kill()
            supervisor.up(prepare(instance, tools(instance)))
            assert set(supervisor.states().values()) <= {"RUNNING", "STARTING"}, name
            assert _soon(platform, person) == before, f"after a kill of {name}"
        deployed.run("up", "local", "--expect-no-changes")


def test_a_killed_supervisor_is_replaced_and_its_orphans_are_ended(deployed: Deployment) -> None:
    instance = deployed.instance
    supervisor = Supervisor(instance, Progress())
    pid = supervisor._pid()
    assert pid is not None
    orphans = {each.pid for each in processes.of_instance(instance.state, containers=False)} - {pid}
    psutil.Process(pid).kill()
    supervisor.up(prepare(instance, tools(instance)))
    assert supervisor._pid() != pid
    assert not orphans & {each.pid for each in processes.of_instance(instance.state, containers=False)}
    deployed.run("up", "local", "--expect-no-changes")


@pytest.fixture
def untouched(tmp_path: Path) -> Iterator[Instance]:
    """An instance on which nothing was ever started."""
    try:
        known = tools(Instance.load())
    except NotRunning as error:
        pytest.skip(str(error))
    base, claim = _claim(tmp_path)
    instance = Instance(tmp_path / "state", base)
    instance.keep()
    write(instance.state / "tools.json", json.dumps(known))
    from local.toolchain import plugins

    write(instance.state / "stand-ins.json", json.dumps(plugins.write_launchers(instance.bin, known, set())))
    yield instance
    down(instance, Progress())
    claim.close()


def test_an_update_killed_again_and_again_ends_as_if_nothing_had_happened(untouched: Instance) -> None:
    command = [sys.executable, "-m", "local.commands.up", "--json"]
    variables = {**os.environ, "TRIBUTARY_STATE": str(untouched.state)}
    for seconds in (1, 4, 9, 14, 20):
        with subprocess.Popen(
            command, cwd=REPOSITORY, env=variables, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        ) as run:
            try:
                run.communicate(timeout=seconds)
            except subprocess.TimeoutExpired:
                run.send_signal(signal.SIGKILL)
                run.communicate()
    last = subprocess.run(command, cwd=REPOSITORY, env=variables, capture_output=True, text=True, timeout=600)
    assert last.returncode == 0, last.stderr[-3000:]
    json.loads(last.stdout)

    arguments = ("up", "--yes", "--skip-preview", "--expect-no-changes", *engine.stack_arguments(untouched))
    engine.pulumi(untouched, *arguments)
    with person_at(untouched, engine.outputs(untouched)) as platform:
        person = f"anna-{uuid.uuid4().hex[:8]}"
        assert platform.connect(person, "aurora")["status"] == "valid"
        platform.synchronise(person)
        assert len(platform.history(person)) > 100
