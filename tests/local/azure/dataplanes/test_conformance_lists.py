"""The published lists of what a data plane does and refuses, and the tests that protect their lines, are the same."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from local.instance import REPOSITORY


def _published(page: str) -> list[str]:
    return re.findall(r"^- `([a-z0-9-]+)` ", (REPOSITORY / "docs" / "deviations" / page).read_text(), re.MULTILINE)


def _protected(folder: str) -> set[str]:
    found = set()
    for path in (Path(__file__).parent / folder).glob("test_*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func).rsplit(".", 1)[-1] == "conforms":
                found |= {each.value for each in node.args if isinstance(each, ast.Constant)}
    return found


@pytest.mark.parametrize(
    ("page", "folder"), [("service-bus.md", "servicebus"), ("notification-hubs.md", "notificationhubs")]
)
def test_each_published_line_has_a_test_and_each_test_a_line(page: str, folder: str) -> None:
    published = _published(page)
    assert len(published) == len(set(published)), "a line's id is there twice"
    assert set(published) == _protected(folder)
