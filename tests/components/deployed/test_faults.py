"""Faults through the engine: each block, with a fault on the first request of each of its resources."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from local.plugins.recover import recover
from tests.components.deployed.alone import Alone
from tests.components.deployed.blocks import BLOCKS
from tests.components.deployed.groups import shared

pytestmark = pytest.mark.full

CLASSES = {
    "conflict": ("conflict",),
    "throttled": ("throttled",),
    "5xx": ("error", "unavailable"),
    "timeout": ("timeout",),
    "lost": ("lost",),
}
"""Kinds of fault by class. Each resource's first request gets the first kind, the next one the second."""


def _every_first(kind: str, **more: Any) -> dict[str, Any]:
    return {"kind": kind, "method": "PUT", "path": "/providers/", "times": 1, "seconds": 0.2, **more}


@pytest.mark.parametrize("kinds", CLASSES.values(), ids=CLASSES)
@pytest.mark.parametrize("block", shared(BLOCKS))
def test_a_fault_on_each_first_request_is_overcome_and_orphans_nothing(
    alone: Callable[[str], Alone], block: str, kinds: tuple[str, ...]
) -> None:
    program = alone(block)
    program.cloud.plan(*(_every_first(each) for each in kinds))
    program.up()
    assert program.cloud.plan() >= len(program.known()) * len(kinds)
    assert program.orphans() == set()
    assert program.known() <= program.cloud.listed()


@pytest.mark.parametrize("block", shared(BLOCKS))
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
