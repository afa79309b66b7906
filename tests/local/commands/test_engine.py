"""What a killed command left of its engine is ended before the next one works."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from local.commands import engine
from local.instance import Instance


def test_an_engine_and_plugins_of_a_killed_command_are_ended_and_nobody_elses(tmp_path: Path) -> None:
    instance = Instance(tmp_path / "state", 12300)
    program = tmp_path / "pulumi"
    program.symlink_to("/bin/sleep")

    def start(command: str | Path, state: Path) -> subprocess.Popen[bytes]:
        return subprocess.Popen([str(command), "1000"], env={**os.environ, engine.ENGINE_VARIABLE: str(state)})

    ours = [start(program, instance.state), start("/bin/sleep", instance.state)]
    other = start(program, tmp_path / "another")
    try:
        engine.end_left_behind(instance)
        assert all(each.poll() is not None for each in ours)
        assert other.poll() is None
    finally:
        for each in (*ours, other):
            each.kill()
            each.wait()


@pytest.fixture
def holder(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process that goes by the engine's name."""
    program = tmp_path / "pulumi"
    program.symlink_to("/bin/sleep")
    with subprocess.Popen([program, "1000"]) as process:
        yield process
        process.kill()


@pytest.fixture
def locked(tmp_path: Path, holder: subprocess.Popen[bytes]) -> Callable[[], bool]:
    """Whether a lock that the holder took keeps others from the stack."""
    lock = tmp_path / "1.json"
    lock.write_text(json.dumps({"pid": holder.pid}))

    return lambda: engine._holder(lock) == holder.pid


def test_a_lock_holds_while_its_engine_lives(locked: Callable[[], bool]) -> None:
    assert locked()


def test_a_dead_engine_that_nobody_has_reaped_holds_no_lock(
    locked: Callable[[], bool], holder: subprocess.Popen[bytes]
) -> None:
    holder.kill()
    while psutil.Process(holder.pid).status() != psutil.STATUS_ZOMBIE:
        time.sleep(0.01)
    assert not locked()


def test_a_later_engine_with_the_number_of_a_dead_one_holds_no_lock_of_it(
    locked: Callable[[], bool], tmp_path: Path
) -> None:
    os.utime(tmp_path / "1.json", (time.time() - 3600, time.time() - 3600))
    assert not locked()
