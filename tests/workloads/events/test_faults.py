"""Killed at any fault point: after a restart the change is there once, and its event was handled once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import uuid
from pathlib import Path

import pytest

from local.instance import REPOSITORY
from tests.workloads.events import victim
from tests.workloads.file_bus import FileBus
from workloads.chassis.database import Database
from workloads.chassis.faults import FaultPoint


@pytest.mark.parametrize("point", list(FaultPoint), ids=lambda each: each.name)
def test_a_process_that_is_killed_at_a_fault_point_loses_and_doubles_nothing(
    point: FaultPoint, database: Database, tmp_path: Path
) -> None:
    user, file = uuid.uuid4(), tmp_path / "bus"
    url = database.url.render_as_string(hide_password=False)
    command = [sys.executable, "-m", "tests.workloads.events.victim", url, str(file), str(user), point.name]
    killed = subprocess.run(command, cwd=REPOSITORY, env={"PATH": os.environ["PATH"]}, timeout=60, check=False)
    assert killed.returncode == -signal.SIGKILL, "the point was not reached"

    expected = (0, 0) if point is FaultPoint.OUTBOX_WRITTEN else (1, 1)
    assert victim.outcome(database, user)[0] == expected[0]
    victim.run(database, FileBus(file, ["transaction"]), user, until=expected, changes=False)
    assert victim.outcome(database, user) == expected


def test_no_fault_point_is_armed_unless_a_test_does_it() -> None:
    sources = [*(REPOSITORY / "workloads").rglob("*.py")]
    assert [each.name for each in sources if "faults.arm(" in each.read_text()] == []
