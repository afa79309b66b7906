"""docs/api is what the services' OpenAPI documents say."""

from __future__ import annotations

from pathlib import Path

import pytest

from workloads import api_documents


def test_the_committed_pages_are_up_to_date() -> None:
    assert api_documents.differences() == [], "run: python -m workloads.api_documents"


@pytest.mark.full
def test_a_changed_missing_or_left_over_page_is_noticed(tmp_path: Path) -> None:
    for path, text in api_documents.written().items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    assert api_documents.differences(tmp_path) == []
    pages = tmp_path / api_documents.PAGES
    (pages / "budget.md").write_text("changed")
    (pages / "audit.md").unlink()
    (pages / "gone.md").write_text("a service that is no more")
    found = [Path(each).name for each in api_documents.differences(tmp_path)]
    assert found == ["audit.md", "budget.md", "gone.md"]
