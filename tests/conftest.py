"""What all tests share: a fresh embedded-Azure instance on ports of its own."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from local.instance import Instance
from tests import captures, parts

settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")  # how long an example takes says how loaded the machine is
_GROUPS = {"engine": "platform", "kubernetes": "kubernetes"}
"""Folders whose files share one platform or one control plane."""


def pytest_itemcollected(item: pytest.Item) -> None:
    """Keep together, on one worker, what shares an expensive fixture: a file, or the group that a test names.

    Here and not when all are collected: pytest-xdist reads the groups before a conftest's turn comes.
    """
    if item.get_closest_marker("xdist_group") is None:
        item.add_marker(pytest.mark.xdist_group(_GROUPS.get(item.path.parent.name, "/".join(item.path.parts[-2:]))))


def pytest_collection_finish(session: pytest.Session) -> None:
    """Refuse to run where groups have no effect: every worker would bring up a platform of its own."""
    grouped = session.config.getoption("loadgroup", False)
    if grouped and not all("@" in item.nodeid for item in session.items):
        raise pytest.UsageError("pytest-xdist adds no group to a test's id; use the pytest of tests/requirements.txt")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say how long each part's tests took, of what they may take."""
    workers = config.getoption("numprocesses", None) or 1
    reports = [each for some in terminalreporter.stats.values() for each in some if hasattr(each, "duration")]
    terminalreporter.section(f"time by part, {workers} workers side by side")
    durations = ((each.nodeid, each.when, each.duration) for each in reports)
    for line in parts.told(durations, workers, full=config.getoption("markexpr") == "full"):
        terminalreporter.write_line(line)


def _free(base: int) -> bool:
    for offset in (1, 10, 15, 20, 40):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", base + offset))
            except OSError:
                return False
    return True


def _claim(folder: Path) -> tuple[int, socket.socket]:
    """A port base nobody uses: the first port of the hundred is held as the claim, across processes."""
    start = os.getpid() % 97
    for step in range(200):
        base = 12000 + (start + step) % 200 * 100
        claim = socket.socket()
        try:
            claim.bind(("127.0.0.1", base + 99))
        except OSError:
            claim.close()
            continue
        if _free(base):
            return base, claim
        claim.close()
    raise RuntimeError(f"no hundred free ports from 12000 to 32000 for {folder}; stop what listens there")


@pytest.fixture(scope="session")
def instance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    """An instance of the embedded Azure in a temporary folder: nothing of it runs yet."""
    folder = tmp_path_factory.mktemp("state")
    base, claim = _claim(folder)
    fresh = Instance(folder, base)
    fresh.keep()
    yield fresh
    claim.close()


@pytest.fixture(scope="session")
def captured(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Callable[[str], captures.Capture]:
    """What the engine shows of a stack of the program; all workers of a run share one preview a stack."""
    own = tmp_path_factory.getbasetemp()
    kept = own if worker_id == "master" else own.parent
    found: dict[str, captures.Capture] = {}

    def of(stack: str) -> captures.Capture:
        if stack not in found:
            found[stack] = captures.captured(stack, kept)
        return found[stack]

    return of
