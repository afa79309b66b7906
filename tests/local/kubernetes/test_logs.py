"""Container output: written as CRI logs, rotated by size, read back for ``kubectl logs``."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest

from local.kubernetes.node import output
from local.kubernetes.node.logs import Selection, follow, read
from local.kubernetes.node.output import Output
from tests.local.kubernetes.conftest import Namespace
from tests.local.kubernetes.running import ControlPlane


def test_lines_survive_pieces_and_lengths(tmp_path: Path) -> None:
    log = Output(tmp_path / "log")
    log.write("stdout", b"half ")
    log.write("stderr", b"error\n")
    log.write("stdout", b"a line\n" + b"x" * 40_000 + b"\nlast")
    log.flush()
    lines = b"".join(read(tmp_path / "log", Selection())).split(b"\n")
    assert lines == [b"error", b"half a line", b"x" * 40_000, b"last", b""]


def test_old_output_is_dropped_by_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(output, "MAXIMUM_BYTES", 1000)
    log = Output(tmp_path / "log")
    for number in range(200):
        log.write("stdout", b"line %d\n" % number)
    assert sorted(each.name for each in tmp_path.iterdir()) == ["log", "log.1", "log.2"]
    assert all(each.stat().st_size <= 1000 for each in tmp_path.iterdir())
    numbers = [int(each.split()[1]) for each in read(tmp_path / "log", Selection())]
    assert numbers == list(range(numbers[0], 200)), "what is kept is the end, without a gap"


async def test_following_crosses_a_rotation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(output, "MAXIMUM_BYTES", 500)
    log, path, running = Output(tmp_path / "log"), tmp_path / "log", [True]
    log.write("stdout", b"0\n")
    seen = []
    async for line in follow(path, Selection(), lambda: running[0]):
        seen.append(int(line))
        if len(seen) < 30:
            log.write("stdout", b"%d\n" % len(seen))
        else:
            running[0] = False
    assert seen == list(range(30))


def test_tail_since_and_timestamps(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(
        b"2026-01-01T00:00:00.000000000Z stdout F old\n2026-01-02T00:00:00.000000000Z stdout F new\n"
        b"2026-01-03T00:00:00.000000000Z stdout F newest\n"
    )
    since = datetime.datetime(2026, 1, 2, tzinfo=datetime.UTC)
    assert read(path, Selection(since=since)) == [b"new\n", b"newest\n"]
    assert read(path, Selection(tail=1, timestamps=True)) == [b"2026-01-03T00:00:00.000000000Z newest\n"]
    assert read(path, Selection(tail=0)) == []


@pytest.mark.xdist_group("kubernetes")
def test_kubectl_logs_selects(namespace: Namespace, control_plane: ControlPlane) -> None:
    namespace.script("talk", "echo one; echo two; echo three")
    namespace.await_phase("talk", "Succeeded")
    assert namespace.kubectl("logs", "talk", "--tail=2") == "two\nthree\n"
    assert namespace.kubectl("logs", "talk", "--since=1h").startswith("one")
    assert namespace.kubectl("logs", "talk", "--timestamps", "--tail=1").endswith("Z three\n")
    assert "not found" in namespace.kubectl("logs", "talk", "--previous", check=False)
    assert control_plane.until(lambda: namespace.kubectl("logs", "-f", "talk") == "one\ntwo\nthree\n", 3)
