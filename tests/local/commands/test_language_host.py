"""The real engine runs a program through the stand-in language host, and tells its errors once."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from local.commands.environment import NotRunning, tools
from local.instance import Instance
from local.toolchain.plugins import write_launchers

Engine = Callable[..., subprocess.CompletedProcess[str]]
PROGRAM = """
import os, pulumi, helper
mode = pulumi.Config().get("mode")
if mode == "refuse":
    raise pulumi.RunError("demo:size: 7 is too much; allowed is 1 to 5")
if mode == "fail":
    helper.fail()
if mode == "fail later":
    pulumi.Output.from_input(1).apply(lambda _: helper.fail())
if mode == "leave":
    raise SystemExit(3)
if mode == "place":
    helper.place()
pulumi.export("folder", os.getcwd())
pulumi.export("stack", pulumi.get_stack())
pulumi.export("secret", pulumi.Config().get_secret("hidden"))
"""
HELPER = """
import pulumi
def fail():
    raise ValueError("deep down")
class Place(pulumi.ComponentResource):
    def __init__(self):
        super().__init__("demo:place:Place", "here")
def place():
    Place()
"""


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    """The engine on a small project whose language host is ours, whatever else is installed."""
    try:
        program = tools(Instance.load())["pulumi"]
    except (NotRunning, KeyError) as error:
        pytest.skip(f"no Pulumi engine: {error}")
    lonely = tmp_path / "engine" / "pulumi"
    lonely.parent.mkdir()
    lonely.symlink_to(Path(program).resolve())
    write_launchers(tmp_path / "bin", {"pulumi": str(lonely), "kubectl": program, "python": sys.executable}, set())
    project = tmp_path / "project"
    project.mkdir()
    (project / "Pulumi.yaml").write_text("name: demo\nruntime: python\n")
    (project / "__main__.py").write_text(PROGRAM)
    (project / "helper.py").write_text(HELPER)
    (tmp_path / "backend").mkdir()
    variables = {
        **os.environ,
        "PATH": f"{tmp_path / 'bin'}:/usr/bin:/bin",
        "HOME": str(tmp_path),
        "PULUMI_BACKEND_URL": f"file://{tmp_path / 'backend'}",
        "PULUMI_CONFIG_PASSPHRASE": "demo",
        "PULUMI_SKIP_UPDATE_CHECK": "true",
    }

    def run(*arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        command = ["pulumi", *arguments, "--non-interactive", "--color=never"]
        done = subprocess.run(
            command, cwd=project, env=variables, capture_output=True, text=True, check=False, timeout=60
        )
        assert not check or done.returncode == 0, done.stdout + done.stderr
        return done

    return run


def _settled(engine: Engine, tmp_path: Path, stack: str, mode: str = "none") -> None:
    engine("stack", "init", stack)
    with (tmp_path / "project" / f"Pulumi.{stack}.yaml").open("a") as file:
        file.write(f"config:\n  demo:mode: {mode}\n")


def test_a_program_runs_and_its_secret_stays_one(engine: Engine, tmp_path: Path) -> None:
    _settled(engine, tmp_path, "one")
    engine("config", "set", "hidden", "open sesame", "--secret", "--stack", "one")
    shown = engine("up", "--yes", "--skip-preview", "--stack", "one")
    outputs = json.loads(engine("stack", "output", "--json", "--stack", "one").stdout)
    assert outputs == {"folder": str(tmp_path / "project"), "stack": "one", "secret": "[secret]"}
    assert "open sesame" not in shown.stdout + shown.stderr
    engine("up", "--yes", "--expect-no-changes", "--stack", "one")  # a preview and an update


def test_the_state_says_where_in_the_program_a_resource_comes_from_and_no_more(engine: Engine, tmp_path: Path) -> None:
    _settled(engine, tmp_path, "placed", "place")
    engine("up", "--yes", "--skip-preview", "--stack", "placed")
    kept = json.loads(engine("stack", "export", "--stack", "placed").stdout)["deployment"]["resources"]
    (place,) = (each for each in kept if each["type"] == "demo:place:Place")
    files = [frame.get("sourcePosition", "").partition("#")[0] for frame in place["stackTrace"]]
    assert [each for each in files if each] == ["project:///helper.py", "project:///__main__.py"]


@pytest.mark.parametrize(
    ("mode", "text", "traced"),
    [
        ("refuse", "error: demo:size: 7 is too much; allowed is 1 to 5", False),
        ("fail", "ValueError: deep down", True),
        ("fail later", "ValueError: deep down", True),
        ("leave", "error: The program ended itself with exit code 3.", False),
    ],
)
def test_an_error_of_the_program_is_told_once(
    engine: Engine, tmp_path: Path, mode: str, text: str, traced: bool
) -> None:
    _settled(engine, tmp_path, "one", mode)
    done = engine("preview", "--stack", "one", check=False)
    diagnostics = done.stdout.partition("Diagnostics:")[2]
    assert done.returncode != 0
    assert diagnostics.count(text) == 1
    assert ("Traceback" in diagnostics) is traced
    assert "language_host.py" not in diagnostics
    assert "an unhandled error" not in done.stdout + done.stderr


def test_engines_run_side_by_side(engine: Engine, tmp_path: Path) -> None:
    stacks = ["one", "two", "three"]
    for stack in stacks:
        _settled(engine, tmp_path, stack)
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda stack: engine("up", "--yes", "--skip-preview", "--stack", stack), stacks))
    for stack in stacks:
        assert engine("stack", "output", "stack", "--stack", stack).stdout == f"{stack}\n"
