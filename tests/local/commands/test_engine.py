"""What a killed command left of its engine is ended before the next one works."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

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
