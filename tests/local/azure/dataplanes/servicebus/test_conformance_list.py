"""The published list of what the broker does and refuses, and the tests that protect its lines, are the same."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from local.instance import REPOSITORY

PAGE = REPOSITORY / "docs" / "deviations" / "service-bus.md"


def _published() -> list[str]:
    return re.findall(r"^- `([a-z0-9-]+)` ", PAGE.read_text(), re.MULTILINE)


def _protected() -> set[str]:
    found = set()
    for path in Path(__file__).parent.glob("test_*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func).rsplit(".", 1)[-1] == "conforms":
                found |= {each.value for each in node.args if isinstance(each, ast.Constant)}
    return found


def test_each_published_line_has_a_test_and_each_test_a_line() -> None:
    published = _published()
    assert len(published) == len(set(published)), "a line's id is there twice"
    assert set(published) == _protected()
