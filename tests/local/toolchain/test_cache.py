"""A tool is in the cache whole or not at all, whatever happens while it is installed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from local.instance import REPOSITORY
from local.toolchain import cache

INSTALLER = """
import sys, time
from pathlib import Path
from local.toolchain import cache

def build(scratch):
    (scratch / "half").write_text("")
    with Path(sys.argv[1]).open("a") as log:
        log.write("built\\n")
    time.sleep(float(sys.argv[2]))
    (scratch / "whole").write_text("")

print(cache.install("tool-1", build))
"""


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRIBUTARY_CACHE", str(tmp_path / "cache"))


def _installer(log: Path, seconds: float) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    command = [sys.executable, "-c", INSTALLER, str(log), str(seconds)]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)


def test_a_failed_installation_leaves_nothing_and_is_tried_again() -> None:
    def fails(scratch: Path) -> None:
        (scratch / "half").write_text("")
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        cache.install("tool-1", fails)
    assert [each.name for each in cache.root().iterdir()] == ["locks"]

    def works(scratch: Path) -> None:
        (scratch / "whole").write_text("")

    folder = cache.install("tool-1", works)
    assert [each.name for each in folder.iterdir()] == ["whole"]


def test_a_killed_installation_is_cleared_away_by_the_next(tmp_path: Path) -> None:
    log = tmp_path / "log"
    killed = _installer(log, 60)
    while not list(cache.root().glob(".tool-1.building-*/half")):
        assert killed.poll() is None
        time.sleep(0.02)
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    assert not (cache.root() / "tool-1").exists()
    again = _installer(log, 0)
    output, _ = again.communicate()
    assert Path(output.strip()) == cache.root() / "tool-1"
    assert sorted(each.name for each in cache.root().iterdir()) == ["locks", "tool-1"]
    assert (cache.root() / "tool-1" / "whole").exists()


def test_two_at_once_install_once(tmp_path: Path) -> None:
    log = tmp_path / "log"
    both = [_installer(log, 0.3) for _ in range(2)]
    assert {each.communicate()[0].strip() for each in both} == {str(cache.root() / "tool-1")}
    assert log.read_text() == "built\n"


def test_an_unchanged_file_is_not_written_again(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "file"
    cache.write(path, "a")
    before = path.stat().st_mtime_ns
    cache.write(path, "a")
    assert path.stat().st_mtime_ns == before
    cache.write(path, "b")
    assert path.read_text() == "b"
    assert [each.name for each in path.parent.iterdir()] == ["file"]
