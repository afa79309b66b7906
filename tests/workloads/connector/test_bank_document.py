"""docs/banks.md tells every property that a profile may have."""

from __future__ import annotations

from workloads import bank_document


def test_the_page_is_as_the_model_says() -> None:
    page = bank_document.PAGE.read_text()
    assert bank_document.written(page) == page, "run python -m workloads.bank_document"


def test_every_property_has_a_meaning() -> None:
    rows = [line for line in bank_document.tables().splitlines() if line.startswith("| `") and line.count("|") == 5]
    assert len(rows) > 60
    assert [line for line in rows if line.endswith("|  |")] == []
