"""Faults through the engine: each block, with a fault on the first request of each of its resources."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from local.plugins.recover import recover
from tests.components.deployed.alone import Alone
from tests.components.deployed.groups import shared

pytestmark = pytest.mark.full

SWEPT = ("workload identity",)
"""Blocks that are swept so far; the others of blocks.BLOCKS are deployed without faults only."""
PASSING = ("conflict", "throttled", "error", "unavailable", "timeout", "lost")
"""Of each kind the first request of a resource, whatever its method, gets one; the plugin asks again."""


def _every_first(kind: str, **more: Any) -> dict[str, Any]:
    return {"kind": kind, "method": "PUT", "path": "/providers/", "times": 1, "seconds": 0.2, **more}


@pytest.mark.parametrize("kind", PASSING)
@pytest.mark.parametrize("block", shared(SWEPT))
def test_a_fault_on_each_first_request_is_overcome_and_orphans_nothing(
    alone: Callable[[str], Alone], block: str, kind: str
) -> None:
    program = alone(block)
    program.cloud.plan(_every_first(kind))
    program.up()
    assert program.cloud.plan() >= len(program.known())
    assert program.orphans() == set()
    assert program.known() <= program.cloud.listed()


@pytest.mark.parametrize("block", shared(SWEPT))
def test_answers_that_stay_lost_are_recovered_into_the_state(alone: Callable[[str], Alone], block: str) -> None:
    """What the engine does not know of is taken up; then the update goes on where it was."""
    program = alone(block)
    program.cloud.plan(_every_first("lost", times=99))
    program.up(fails=True)
    program.cloud.plan()
    assert program.orphans() != set()
    recover(program.stack, program.environment, folder=program.folder)
    assert program.orphans() == set()
    program.up()
    assert program.orphans() == set()
    assert program.known() <= program.cloud.listed()
