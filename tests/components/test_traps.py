"""The page on Azure's traps names files that are there, and a source for each."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
ROWS = [
    [cell.strip() for cell in line.strip("|").split(" | ")]
    for line in (ROOT / "docs" / "azure-traps.md").read_text().splitlines()
    if line.startswith("| ") and not line.startswith("| trap")
]


@pytest.mark.parametrize("row", ROWS, ids=[row[0][:40] for row in ROWS])
def test_a_trap_says_where_it_is_handled_and_who_says_so(row: list[str]) -> None:
    assert len(row) == 3, "trap, where, source"
    assert "](https://" in row[2] or row[2].startswith("ours"), "a source that can be read, or that it is ours"
    for file in re.findall(r"`([\w/]+\.py)`", row[1]):
        assert any((ROOT / folder / file).exists() for folder in ("", "components", "stacks")), file
