"""Corrections: they follow what they were said of, and are taken back with what was said with them, no more."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import update

from tests.workloads.servers import Postgres
from workloads.chassis.database import Database
from workloads.services.enrichment import store
from workloads.services.enrichment.models import PartyCategory


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
    def parties(self) -> list[str]:
        """The categories that were said of whole other sides."""
        with self.database.session(self.user) as session:
            return [each.category for each in store.corrections(session)[1]]

    @property
    def corrected(self) -> dict[uuid.UUID, str]:
        with self.database.session(self.user) as session:
            return {each.transaction_id: each.category for each in store.corrections(session)[0]}


@pytest.fixture(scope="module")
def database(server: Postgres) -> Iterator[Database]:
    opened = Database(server.service_url("enrichment", "corrections"))
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


@pytest.fixture
def person(database: Database) -> Person:
    """Someone of whom nothing was read yet."""
    return Person(database)


def test_a_word_on_the_other_side_is_the_booked_ones_too_and_is_taken_back_there(person: Person) -> None:
    pending, booked = uuid.uuid4(), uuid.uuid4()
    person.read(person.told(pending, status="pending"))
    person.correct(pending, "children", same_party=True)
    person.read(person.told(booked, formerly=str(pending)))
    assert person.parties == ["children"]
    person.uncorrect(booked)
    assert (person.corrected, person.parties) == ({}, [])


def test_what_was_said_on_another_transaction_stays_when_a_correction_is_taken_back(person: Person) -> None:
    one, other, third = (uuid.uuid4() for _ in range(3))
    changes = [person.told(each) for each in (one, other, third)]
    person.read(*changes)
    person.correct(one, "sport")
    person.correct(other, "children", same_party=True)
    for each in (one, third):
        person.uncorrect(each)
        person.read(*changes)
        assert (person.seen(each), person.parties) == (("children", "party"), ["children"])
    person.uncorrect(other)
    person.read(*changes)
    assert {person.seen(each) for each in (one, other, third)} == {("eating-out", "word")}


def test_of_two_words_on_one_side_the_earlier_ones_withdrawal_leaves_the_later(person: Person) -> None:
    one, other = (uuid.uuid4() for _ in range(2))
    person.read(person.told(one), person.told(other))
    person.correct(one, "sport", same_party=True)
    person.correct(other, "children", same_party=True)
    person.uncorrect(one)
    assert person.parties == ["children"]
    person.uncorrect(other)
    assert person.parties == []


def test_a_word_of_which_is_not_known_where_it_was_said_is_taken_back_anywhere(person: Person) -> None:
    one, other = (uuid.uuid4() for _ in range(2))
    person.read(person.told(one), person.told(other))
    person.correct(one, "sport", same_party=True)
    with person.database.session(person.user) as session:
        session.execute(update(PartyCategory).values(transaction_id=None))
    person.uncorrect(other)
    assert person.parties == []


def test_transactions_of_which_no_other_side_is_told_have_none_in_common(person: Person) -> None:
    one, other = (uuid.uuid4() for _ in range(2))
    changes = [person.told(each, name=None) for each in (one, other)]
    person.read(*changes)
    person.correct(one, "sport", same_party=True)
    person.read(*changes)
    assert (person.seen(one), person.seen(other)) == (("sport", "person"), ("uncategorised", "none"))
    assert person.parties == []
    with person.database.session(person.user) as session:
        assert len({store.get(session, each).party for each in (one, other)}) == 2, "no series is found among them"
    person.read(person.told(one))
    assert person.seen(one) == ("sport", "person")
