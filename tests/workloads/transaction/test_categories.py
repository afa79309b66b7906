"""What enrichment says of transactions arrives at least once and perhaps late: the newest stays."""

from __future__ import annotations

import itertools
import uuid
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.workloads.platform import Platform
from tests.workloads.servers import Issuer
from workloads.chassis.facts import Fact
from workloads.services.transaction import store

TOLD = [("groceries", 1), ("sport", 2), ("charity", 3)]
AGES = itertools.count(1_000_000, len(TOLD))
"""Each example's versions are above those of the one before, and above enrichment's own."""


@pytest.fixture
def person(platform: Platform) -> str:
    """Someone whose history is there and categorised."""
    name = f"late-{uuid.uuid4()}"
    platform.connect(name, "borealis")
    platform.synchronise(name)
    platform.settle()
    return name


def fact(transaction: dict[str, Any], category: str, version: int) -> Fact:
    return Fact(
        id=transaction["id"], version=version, account_id=transaction["account_id"], date="2026-01-02",
        minor=-100, currency="EUR", status="booked", category=category, party="one",
    )  # fmt: skip


@given(order=st.lists(st.sampled_from(TOLD)).filter(lambda told: TOLD[-1] in told))
@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_category_stays_the_newest_in_whatever_order_and_how_often_they_come(
    platform: Platform, issuer: Issuer, person: str, order: list[tuple[str, int]]
) -> None:
    listed = platform.call(person, "transaction", "GET", "/transactions", params={"limit": 2})
    one, other = listed["transactions"]
    age = next(AGES)
    for category, version in order:
        with platform.states["transaction"].database.session(issuer.pseudonym(person)) as session:
            store.categorise(session, [fact(one, category, age + version)])
    found = [platform.call(person, "transaction", "GET", f"/transactions/{each['id']}") for each in (one, other)]
    assert [each["category"] for each in found] == ["charity", other["category"]]
