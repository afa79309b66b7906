"""Thresholds are told once a month each, also when a refund that leaves the category or a late booking crosses them."""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Iterator, Sequence
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from tests.workloads.servers import Postgres
from workloads.chassis.database import Database
from workloads.chassis.events.envelope import Event
from workloads.chassis.events.tables import OutboxEvent
from workloads.chassis.facts import Fact
from workloads.services.budget import domain, store
from workloads.services.budget.models import Budget

NOVEMBER, OCTOBER, SEPTEMBER = (datetime.date(2026, month, 1) for month in (11, 10, 9))
NOON = datetime.time(12, tzinfo=datetime.UTC)


class Person:
    """Someone with a budget of 100 for groceries since September. made: when they made it."""

    def __init__(self, database: Database, made: datetime.date = SEPTEMBER, rollover: str = "none") -> None:
        self.database, self.user, self.account = database, uuid.uuid4(), uuid.uuid4()
        self.version = 0
        with database.session(self.user) as session:
            budget = Budget(
                name="Food", categories="groceries", currency="EUR", limit_minor=100, rollover=rollover,
                thresholds="80,100", start=SEPTEMBER, created=datetime.datetime.combine(made, NOON),
            )  # fmt: skip
            session.add(budget)
            session.flush()
            self.budget = budget.id

    def fact(self, minor: int, month: datetime.date = NOVEMBER, **more: Any) -> Fact:
        self.version += 1
        plain = {
            "id": uuid.uuid4(), "version": self.version, "account_id": self.account, "date": month, "minor": minor,
            "currency": "EUR", "status": "booked", "category": "groceries", "party": "one",
        }  # fmt: skip
        return Fact.model_validate(plain | more)

    def hears(self, *told: Fact) -> None:
        with self.database.session(self.user) as session:
            store.keep(session, self.user, told)

    def moves(self, fact: Fact, category: str) -> None:
        """Says that a transaction is something else."""
        self.hears(self.fact(fact.minor, fact.date, id=fact.id, category=category))

    @property
    def told(self) -> list[tuple[str, int]]:
        with self.database.session() as session:
            mine = select(OutboxEvent.envelope).where(OutboxEvent.key == str(self.user)).order_by(OutboxEvent.sequence)
            data = [Event.decode(each).data for each in session.scalars(mine)]
        return [(each["month"], each["percent"]) for each in data]

    @property
    def crossed(self) -> set[tuple[str, int]]:
        """The thresholds that the spending of this month and of the one before has reached, as it stands."""
        with self.database.session(self.user) as session:
            months = store.envelopes(session, store.get(session, self.budget), NOVEMBER)
        return {(f"{each.month:%Y-%m}", percent) for each in months[-2:] for percent in each.crossed([80, 100])}


@pytest.fixture(scope="module", autouse=True)
def _today() -> Iterator[None]:
    """The twentieth of November, to the budgets' store alone: other services may run in this process."""
    today = datetime.date(2026, 11, 20)
    fixed = SimpleNamespace(today=lambda: today, now=lambda: datetime.datetime.combine(today, NOON))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(store, "clock", fixed)
        yield


@pytest.fixture(scope="module")
def database(server: Postgres) -> Iterator[Database]:
    opened = Database(server.service_url("budget", "alerts_budget"))
    yield opened
    opened.close()


def test_a_refund_that_leaves_the_category_may_bring_the_spending_over_a_threshold(database: Database) -> None:
    person = Person(database)
    refund = person.fact(50)
    person.hears(person.fact(-120), refund)
    assert person.told == []
    person.moves(refund, "refund")
    assert person.told == [("2026-11", 80), ("2026-11", 100)]
    person.moves(refund, "groceries")
    person.moves(refund, "refund")
    assert person.told == [("2026-11", 80), ("2026-11", 100)], "each is told once a month"


def test_late_bookings_of_the_past_month_are_told_once_and_older_ones_not(database: Database) -> None:
    person = Person(database)
    person.hears(person.fact(-500, SEPTEMBER), person.fact(-60, OCTOBER))
    assert person.told == []
    late = person.fact(-30, OCTOBER)
    person.hears(late)
    person.hears(late)
    person.hears(person.fact(-1, OCTOBER))
    assert person.told == [("2026-10", 80)]


def test_a_month_that_was_over_before_the_budget_was_made_is_not_told_of(database: Database) -> None:
    person = Person(database, made=NOVEMBER)
    person.hears(person.fact(-500, OCTOBER))
    assert person.told == []


CHANGES = st.lists(
    st.tuples(
        st.integers(0, 1), st.sampled_from([-90, 30]), st.sampled_from([OCTOBER, NOVEMBER]),
        st.sampled_from(["groceries", "refund"]), st.booleans(),
    ),
    min_size=3, max_size=10,
)  # fmt: skip
"""Which transaction, what it is now, and whether it is removed."""


@given(changes=CHANGES, rollover=st.sampled_from(["none", "unspent", "both"]))
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_changes_each_threshold_that_is_reached_is_told_once(
    database: Database, changes: Sequence[tuple[int, int, datetime.date, str, bool]], rollover: domain.Rollover
) -> None:
    person, ids = Person(database, rollover=rollover), [uuid.uuid4() for _ in range(2)]
    reached: set[tuple[str, int]] = set()
    for number, minor, month, category, removed in changes:
        person.hears(person.fact(minor, month, id=ids[number], category=category, removed=removed))
        reached |= person.crossed
    assert sorted(person.told) == sorted(reached)
