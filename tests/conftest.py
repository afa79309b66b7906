"""What all tests share: a fresh embedded-Azure instance on ports of its own."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.instance import Instance
from local.supervision.claims import claim

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


def _claim(_folder: Path) -> tuple[int, socket.socket]:
    """A port base nobody uses, and the claim on it."""
    return claim()


@pytest.fixture(scope="session")
def instance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    """An instance of the embedded Azure in a temporary folder: nothing of it runs yet."""
    folder = tmp_path_factory.mktemp("state")
    base, held = claim()
    fresh = Instance(folder, base)
    fresh.keep()
    yield fresh
    held.close()
