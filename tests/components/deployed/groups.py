"""Two halves of the blocks, so that two workers deploy them beside each other, each on an Azure of its own."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

import pytest


def shared(names: Iterable[str], fast: Collection[str] = ()) -> list[Any]:
    """Parameters that are swept on two workers. fast: those that the fast run has, too."""
    return [
        pytest.param(
            name,
            marks=[
                pytest.mark.xdist_group("components/deployed" if name in fast else f"components/deployed-{number % 2}"),
                *([] if name in fast else [pytest.mark.full]),
            ],
            id=name.replace(" ", "-"),
        )
        for number, name in enumerate(names)
    ]
