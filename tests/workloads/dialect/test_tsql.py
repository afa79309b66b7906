"""docs/tsql is what Azure SQL would be asked: the migrations, and the queries that are asked most."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.workloads.mssql import faults
from workloads import tsql

_GIVEN_UP = re.compile(r"\b(?:IMAGE|NTEXT|TEXT)\b")


def test_the_committed_files_are_up_to_date() -> None:
    assert tsql.differences() == [], "run: python -m workloads.tsql"


def test_a_changed_missing_or_left_over_file_is_noticed(tmp_path: Path) -> None:
    for path, text in tsql.written().items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    assert tsql.differences(tmp_path) == []
    files = tmp_path / tsql.FILES
    (files / "budget.sql").write_text("changed")
    (files / "audit.sql").unlink()
    (files / "gone.sql").write_text("a service that is no more")
    assert [Path(each).name for each in tsql.differences(tmp_path)] == ["audit.sql", "budget.sql", "gone.sql"]


def test_no_column_is_of_a_type_that_azure_sql_is_giving_up() -> None:
    """learn.microsoft.com/sql/t-sql/data-types/ntext-text-and-image-transact-sql; none is made there online."""
    named = {path.name: set(_GIVEN_UP.findall(text)) for path, text in tsql.written().items()}
    assert {name: found for name, found in named.items() if found} == {}


@pytest.mark.parametrize("what", tsql.hot_queries())
def test_a_hot_query_is_one_that_azure_sql_takes_with_its_lock(what: str) -> None:
    assert faults(tsql.hot_queries()[what]) == []
