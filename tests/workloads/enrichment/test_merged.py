"""A correction of a pending entry goes over to the booked transaction that the person says it has become."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.workloads.servers import Postgres
from workloads.chassis.database import Database
from workloads.services.enrichment import store


class Person:
    """Whose ledger is read and corrected. A change is told as the transaction service does."""

    def __init__(self, database: Database) -> None:
        self.database, self.user, self.account = database, uuid.uuid4(), uuid.uuid4()

    def told(self, transaction: uuid.UUID, name: str | None = "Backhaus", **more: Any) -> dict[str, Any]:
        return {
            "id": str(transaction), "account_id": str(self.account), "date": "2026-11-05", "minor": -480,
            "currency": "EUR", "status": "booked", "state": "listed", "counterparty": name, "remittance": None,
            "counterparty_index": None, "transfer": False, "formerly": None,
        } | more  # fmt: skip

    def read(self, *changes: dict[str, Any]) -> None:
        with self.database.session(self.user) as session:
            store.keep(session, self.user, store.progress(session, self.user), changes, store.word(session))

    def correct(self, transaction: uuid.UUID, category: str, *, same_party: bool = False) -> None:
        with self.database.session(self.user) as session:
            store.correct(session, self.user, transaction, category, same_party=same_party)

    def uncorrect(self, transaction: uuid.UUID) -> None:
        with self.database.session(self.user) as session:
            store.uncorrect(session, self.user, transaction)

    def seen(self, transaction: uuid.UUID) -> tuple[str, str]:
        with self.database.session(self.user) as session:
            row = store.get(session, transaction)
            return row.category, row.source

    @property
    def corrected(self) -> dict[uuid.UUID, str]:
        with self.database.session(self.user) as session:
            return {each.transaction_id: each.category for each in store.corrections(session)[0]}


@pytest.fixture(scope="module")
def database(server: Postgres) -> Iterator[Database]:
    opened = Database(server.service_url("enrichment", "merged_enrichment"))
    yield opened
    opened.close()


@given(
    own=st.booleans(),
    known=st.booleans(),
    pages=st.lists(st.lists(st.sampled_from(["pending", "booked"]), min_size=1, max_size=2), max_size=4),
)
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_correction_follows_once_in_whatever_pages_and_however_often_it_is_read(
    database: Database, own: bool, known: bool, pages: list[list[str]]
) -> None:
    """own: whether the booked one was corrected too. known: whether it was read before the two became one."""
    person, pending, booked = Person(database), uuid.uuid4(), uuid.uuid4()
    person.read(person.told(pending, status="pending"))
    person.correct(pending, "children")
    if known or own:
        person.read(person.told(booked))
    if own:
        person.correct(booked, "sport")
    now = {
        "pending": person.told(pending, status="pending", state="withdrawn"),
        "booked": person.told(booked, formerly=str(pending)),
    }
    for page in [*pages, ["booked"]]:
        person.read(*(now[each] for each in dict.fromkeys(page)))
    assert person.corrected == {booked: "sport" if own else "children"}
    person.uncorrect(booked)
    person.read(now["pending"], now["booked"])
    assert person.corrected == {}, "it was taken back"
    assert person.seen(booked) == ("eating-out", "word")
