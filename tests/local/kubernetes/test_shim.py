"""The shim: records a container's end, leaves nothing behind, with and without namespaces."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest

from local.kubernetes.node import runtime
from local.kubernetes.node.agent import supports_namespaces
from local.kubernetes.node.runtime import Process, StartError
from local.kubernetes.node.specification import rewritten

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="processes are read from /proc")


class Files:
    """A folder for the namespaces probe."""

    def __init__(self, root: Path) -> None:
        self.root = root


@pytest.fixture(params=["namespaces", "plain"])
async def spec(request: pytest.FixtureRequest, tmp_path: Path) -> dict[str, Any]:
    isolated = request.param == "namespaces"
    if isolated and not await supports_namespaces(Files(tmp_path)):  # type: ignore[arg-type]  # only root is used
        pytest.skip("this machine grants no mount namespace")
    return {
        **{"namespaces": isolated, "environment": {"PATH": "/usr/bin:/bin"}, "folder": "/", "uid": os.geteuid()},
        **{"gid": os.getegid(), "groups": [], "switch": False, "capabilities": [], "no_new_privileges": True},
        **{"read_only": False, "mounts": [], "image": [], "expose": [], "hide": "/nothing"},
    }


async def _run(folder: Path, spec: dict[str, Any], script: str) -> Process:
    return await runtime.start(folder / "c", spec | {"argv": ["sh", "-c", script]})


async def test_an_end_is_recorded(spec: dict[str, Any], tmp_path: Path) -> None:
    process = await _run(tmp_path, spec, "echo out; echo err >&2; exit 7")
    ended = await asyncio.wait_for(process.wait(), 5)
    assert (ended["exitCode"], ended["signal"], ended["reason"]) == (7, 0, "Error")
    assert sorted(line.split(b" ", 3)[3] for line in process.log.read_bytes().splitlines()) == [b"err", b"out"]


async def test_a_grandchild_that_ignores_signals_ends_with_its_container(spec: dict[str, Any], tmp_path: Path) -> None:
    marker = f"sleep {4000 + os.getpid() / 100_000}"
    process = await _run(tmp_path, spec, f"(trap '' TERM HUP; setsid {marker}) & sleep 0.2; exit 0")
    await asyncio.wait_for(process.wait(), 5)
    assert not [each for each in psutil.process_iter(["cmdline"]) if " ".join(each.info["cmdline"] or []) == marker]


async def test_a_killed_shim_takes_its_process_along(spec: dict[str, Any], tmp_path: Path) -> None:
    process = await _run(tmp_path, spec, "exec sleep 100")
    main, shim = process.main(), process.shim()
    assert main is not None
    assert shim is not None
    os.kill(shim, signal.SIGKILL)
    assert (await asyncio.wait_for(process.wait(), 5))["exitCode"] == 137
    for _ in range(50):
        if not psutil.pid_exists(main) or psutil.Process(main).status() == psutil.STATUS_ZOMBIE:
            break
        await asyncio.sleep(0.05)
    else:
        pytest.fail("the container's process is still there")


async def test_commands_run_inside_and_are_cut_off(spec: dict[str, Any], tmp_path: Path) -> None:
    process = await _run(tmp_path, spec, "sleep 100")
    result = await process.execute(["sh", "-c", "echo inside; exit 3"], 5)
    assert (result.code, result.output) == (3, b"inside\n")
    assert (await process.execute(["no-such-command"], 5)).code == 126
    with pytest.raises(TimeoutError):
        await process.execute(["sleep", "30"], 0.3)
    await process.kill()
    with pytest.raises(StartError, match="not running"):
        await process.execute(["true"], 1)


async def test_what_can_not_be_started_says_why(spec: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(StartError, match='exec: "/no/such/program": executable file not found'):
        await runtime.start(tmp_path / "c", spec | {"argv": ["/no/such/program"]})
    with pytest.raises(StartError, match="working folder '/no/such/folder'"):
        await runtime.start(tmp_path / "d", spec | {"argv": ["true"], "folder": "/no/such/folder"})
    assert Process(tmp_path / "c").ended()["reason"] == "StartError"


def test_without_mounts_paths_are_replaced() -> None:
    mounts = [
        {"source": "/state/tokens", "path": "/var/run/secrets/azure/tokens", "writable": False},
        {"source": "/state/settings", "path": "/etc/app", "writable": False},
    ]
    spec = rewritten(
        {
            "mounts": mounts,
            "image": [{"source": "/images/1/app", "path": "/app"}],
            "argv": ["/app/run", "--settings=/etc/app/x.yaml", "/etc/application", "cat '/etc/app/x'"],
            "environment": {"TOKEN": "/var/run/secrets/azure/tokens/file", "PATHS": "/bin:/app/bin:/etc/app"},
            "folder": "/app",
        }
    )
    assert spec["argv"] == [
        "/images/1/app/run",
        "--settings=/state/settings/x.yaml",
        "/etc/application",
        "cat '/state/settings/x'",
    ]
    assert spec["environment"] == {"TOKEN": "/state/tokens/file", "PATHS": "/bin:/images/1/app/bin:/state/settings"}
    assert spec["folder"] == "/images/1/app"
