"""A spare interpreter runs a module as a new one would, and is gone with whoever made it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import pytest

from local.instance import REPOSITORY

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="a running interpreter can be forked on Linux only")
TOLD = """
import json, os, sys
told = {"argv": sys.argv[1:], "environment": dict(os.environ), "folder": os.getcwd(), "path": sys.path}
sys.stderr.write("on the way\\n")
sys.stdout.buffer.write(json.dumps(told | {"name": __name__}).encode())  # as a pack tells its port, and goes on
os._exit(3)
"""
ASKED = """
import json, sys
from local.plugins.spare import Spare
spare = Spare()
spare.run("told", ["one", "two"], sys.argv[1], {"PYTHONPATH": sys.argv[2], "ONLY": "this"})
said = b"".join(iter(lambda: spare.stdout.read(65536), b""))
print(json.dumps([json.loads(said), spare.stderr.read(100).decode(), spare.wait(20), spare.poll()]))
"""
KEPT = """
import sys, time
from local.plugins.spare import Spare
spare = Spare()
print(spare._process.pid, flush=True)
time.sleep(60)
"""


def python(*arguments: str) -> list[str]:
    return [sys.executable, "-c", *arguments]


@pytest.fixture
def told(tmp_path: Path) -> list[Any]:
    """What a module says of itself, its stderr, its exit code twice."""
    (tmp_path / "told.py").write_text(TOLD)
    (tmp_path / "other").mkdir()
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    arguments = python(ASKED, str(tmp_path), str(tmp_path / "other"))
    return json.loads(subprocess.run(arguments, env=environment, check=True, capture_output=True, timeout=60).stdout)


def test_a_module_runs_with_the_folder_arguments_and_variables_it_is_given(told: list[Any], tmp_path: Path) -> None:
    seen, errors, code, again = told
    assert (seen["argv"], seen["folder"], seen["name"]) == (["one", "two"], str(tmp_path), "__main__")
    assert seen["environment"] == {"PYTHONPATH": str(tmp_path / "other"), "ONLY": "this"}
    assert (errors, code, again) == ("on the way\n", 3, 3)


def test_a_module_finds_what_a_new_interpreter_would_and_nothing_of_the_hosts(told: list[Any], tmp_path: Path) -> None:
    assert told[0]["path"][:2] == [str(tmp_path), str(tmp_path / "other")]
    assert str(REPOSITORY) not in told[0]["path"]


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_one_that_nobody_asks_ends_silently_with_whoever_made_it(number: signal.Signals, tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    errors = tmp_path / "errors"
    with (
        errors.open("w") as told,
        subprocess.Popen(
            python(KEPT), env=environment, stdout=subprocess.PIPE, stderr=told, start_new_session=True
        ) as maker,
    ):
        assert maker.stdout
        spare = psutil.Process(int(maker.stdout.readline()))
        if number == signal.SIGINT:
            os.killpg(maker.pid, number)  # as the engine stops its plugins
        else:
            maker.send_signal(number)
    until = time.monotonic() + 20
    while spare.is_running() and spare.status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < until, "the spare interpreter still waits"
        time.sleep(0.05)
    assert "Process-1" not in errors.read_text()


def test_one_that_is_at_work_ends_silently_when_its_group_is_told_to(tmp_path: Path) -> None:
    (tmp_path / "busy.py").write_text("import time\nprint('at work', flush=True)\ntime.sleep(60)\n")
    asked = KEPT.replace("time.sleep(60)", f"spare.run('busy', [], {str(tmp_path)!r}, {{}})\nspare.stdout.read(7)\n")
    asked += "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)\nprint('told', flush=True)\n"
    asked += "sys.stderr.buffer.write(b''.join(iter(lambda: spare.stderr.read(65536), b'')))\n"
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    with subprocess.Popen(
        python(asked), env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
    ) as maker:
        assert maker.stdout
        maker.stdout.readline()
        assert maker.stdout.readline() == b"told\n"
        os.killpg(maker.pid, signal.SIGINT)
        _, errors = maker.communicate(timeout=60)
    assert errors == b""
