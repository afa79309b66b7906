"""Each block deployed alone: made, made again with no change, destroyed with nothing left but what Azure keeps."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.components.deployed.alone import Alone
from tests.components.deployed.blocks import BLOCKS
from tests.components.deployed.groups import shared

HOLDING = ("kept vault",)
"""Those whose name Azure keeps after them: a vault with purge protection, for its whole retention."""
CHEAP = "workload identity"


@pytest.mark.parametrize("block", shared(BLOCKS, fast=(CHEAP,)))
def test_a_block_deployed_alone_is_stable_and_leaves_nothing(alone: Callable[[str], Alone], block: str) -> None:
    program = alone(block)
    program.up()
    assert program.orphans() == set()
    assert program.known() <= program.cloud.listed()
    program.up("--expect-no-changes")
    program.destroy()
    assert program.made() == set()
    assert len(program.held()) == (block in HOLDING)
