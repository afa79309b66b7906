"""Identifiers carry their time but order nothing; cursors are ours or refused."""

from __future__ import annotations

import contextlib
import datetime
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workloads.chassis import ids, paging
from workloads.chassis.problems import Problem


def test_ids_are_uuid_version_7_with_the_present_millisecond() -> None:
    before = time.time_ns() // 1_000_000
    made = {ids.new_id() for _ in range(1000)}
    after = time.time_ns() // 1_000_000
    assert len(made) == 1000
    assert {each.version for each in made} == {7}
    assert {str(each)[19] for each in made} <= set("89ab")
    assert all(before <= each.int >> 80 <= after for each in made)


@given(st.dates(), st.integers(0, 2**63 - 1))
def test_a_cursor_leads_back_to_its_row(date: datetime.date, sequence: int) -> None:
    assert paging.decode(paging.encode(date, sequence)) == (date, sequence)


@given(st.text(max_size=40))
def test_a_foreign_cursor_is_refused_and_never_an_error_of_ours(cursor: str) -> None:
    with contextlib.suppress(Problem):  # any other exception fails
        paging.decode(cursor)


@pytest.mark.parametrize("inner", ['["2026-01-01", -1]', '["2026-01-01", "7"]', "[]", "7", '["x", 1]', "[[[["])
def test_a_tampered_cursor_is_refused(inner: str) -> None:
    import base64

    with pytest.raises(Problem):
        paging.decode(base64.urlsafe_b64encode(inner.encode()).decode())
