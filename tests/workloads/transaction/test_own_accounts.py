"""Transfers between own accounts are known by IBAN: also where one side alone is told, or an account comes later."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import select

from tests.bench.backend.ledgers import IBANS
from tests.workloads.servers import Postgres
from tests.workloads.transaction.test_sealed_ibans import KEYS, entry, take
from workloads.chassis.database import Database
from workloads.services.transaction import own_accounts, store
from workloads.services.transaction.forms import change
from workloads.services.transaction.models import OwnAccount, Transaction

GIRO, SAVINGS, STRANGER = IBANS[:3]


@pytest.fixture(scope="module")
def database(server: Postgres) -> Iterator[Database]:
    opened = Database(server.service_url("transaction", "own_accounts"))
    yield opened
    opened.close()


class Person:
    """Somebody with two accounts, whose ledger a test fills."""

    def __init__(self, database: Database) -> None:
        self.database, self.id = database, uuid.uuid4()
        self.giro, self.savings = uuid.uuid4(), uuid.uuid4()

    def told(self, *accounts: uuid.UUID) -> None:
        """Which of the accounts the platform knows of."""
        numbers = {self.giro: GIRO, self.savings: SAVINGS}
        told = [{"account_id": str(each), "iban": numbers[each], "uk_number": None} for each in accounts]
        self.keeps(told)

    def keeps(self, told: list[dict[str, Any]]) -> None:
        with self.database.session(self.id) as session:
            own_accounts.keep(session, self.id, KEYS.cipher(session, self.id), told)

    def reads(self, account: uuid.UUID, *entries: dict[str, Any]) -> None:
        take(self.database, self.id, account, list(entries))

    def seen(self, after: int = 0) -> dict[int, bool]:
        """Whether each is a transfer, by amount, as enrichment is told of what changed since a revision."""
        with self.database.session(self.id) as session:
            return {each["minor"]: each["transfer"] for each in map(change, store.changes(session, after, 100))}

    @property
    def revision(self) -> int:
        with self.database.session(self.id) as session:
            return session.scalars(store.ledger_query()).one().revision

    def paired(self) -> list[set[int]]:
        with self.database.session(self.id) as session:
            rows = session.scalars(select(Transaction)).all()
            amounts = {each.id: each.minor for each in rows}
            return [{each.minor, amounts[each.transfer_id]} for each in rows if each.transfer_id and each.minor < 0]


@pytest.fixture
def person(database: Database) -> Person:
    return Person(database)


def paid(minor: int, iban: str | None = None, number: int = 0, name: str | None = None) -> dict[str, Any]:
    money = {"minor": minor, "currency": "EUR"}
    return entry(number, amount=money, counterparty_iban=iban, transaction_id=name or f"{minor}")


def test_a_side_that_names_an_own_account_is_a_transfer_before_the_other_side_is_there(person: Person) -> None:
    person.told(person.giro, person.savings)
    person.reads(person.giro, paid(-5000, SAVINGS), paid(-900, STRANGER), paid(-100, GIRO))
    assert person.seen() == {-5000: True, -900: False, -100: False}
    assert person.paired() == []
    person.reads(person.savings, paid(5000, None, 1), paid(900, None, 1))
    assert person.paired() == [{-5000, 5000}]
    assert person.seen() == {-5000: True, 5000: True, -900: False, 900: False, -100: False}


def test_an_account_that_is_connected_later_makes_transfers_of_what_was_spending(person: Person) -> None:
    person.told(person.giro)
    person.reads(person.giro, paid(-5000, SAVINGS), paid(-900, STRANGER))
    assert person.seen() == {-5000: False, -900: False}
    before = person.revision
    person.told(person.giro, person.savings)
    assert person.seen(before) == {-5000: True}, "and enrichment is told of it"
    after = person.revision
    person.told(person.savings, person.giro)
    assert person.revision == after, "nothing is new: nothing is written"


def test_pairs_that_were_a_guess_are_parted_when_an_iban_says_otherwise(person: Person) -> None:
    person.reads(person.giro, paid(-5000, STRANGER))
    person.reads(person.savings, paid(5000))
    assert person.paired() == [{-5000, 5000}], "nobody knew the accounts' IBANs"
    person.told(person.giro, person.savings)
    assert person.paired() == []
    assert person.seen() == {-5000: False, 5000: False}


def test_a_transfer_ends_when_the_bank_corrects_the_amount_of_one_side(person: Person) -> None:
    person.told(person.giro, person.savings)
    person.reads(person.giro, paid(-5000, name="A"))
    person.reads(person.savings, paid(5000, GIRO))
    assert person.paired() == [{-5000, 5000}]
    before = person.revision
    person.reads(person.giro, paid(-4000, name="A"))
    assert person.paired() == []
    assert person.seen(before) == {-4000: False, 5000: True}, "the other names its account, whatever came of it"
    person.reads(person.giro, paid(-5000, name="A"))
    assert person.paired() == [{-5000, 5000}]


def test_a_deleted_side_that_comes_back_is_a_transfer_again(person: Person) -> None:
    person.told(person.giro, person.savings)
    person.reads(person.giro, paid(-5000))
    person.reads(person.savings, paid(5000, GIRO))
    with person.database.session(person.id) as session:
        mine = session.scalars(select(Transaction.id).where(Transaction.minor == -5000)).one()
        store.delete(session, person.id, mine)
    assert person.paired() == []
    assert person.seen()[5000], "it names the account"
    with person.database.session(person.id) as session:
        assert own_accounts.restore(session, person.id, mine).transfer_id
    assert person.paired() == [{-5000, 5000}]


def test_dates_at_the_ends_of_the_calendar_are_looked_around_too(person: Person) -> None:
    person.told(person.giro, person.savings)
    ends = {"-1": "0001-01-01", "-2": "9999-12-31"}
    person.reads(person.giro, *(paid(int(each)) | {"booking_date": day} for each, day in ends.items()))
    assert person.seen() == {-1: False, -2: False}


def test_accounts_with_a_sort_code_alone_are_known_by_it(person: Person) -> None:
    """One bank tells an IBAN, which holds a sort code and an account number, the other those two alone."""
    iban = {"account_id": str(person.giro), "iban": "GB33BUKB20201555555555", "uk_number": "20201555555555"}
    person.keeps([iban, {"account_id": str(person.savings), "iban": None, "uk_number": "20201612345678"}])
    person.reads(person.giro, paid(-5000) | {"counterparty_uk_number": "20201612345678"})
    assert person.seen() == {-5000: True}, "before the other side is there"
    person.reads(person.savings, paid(5000, None, 1) | {"counterparty_uk_number": "20201555555555"})
    assert person.paired() == [{-5000, 5000}]
    after = person.revision
    person.keeps([iban])
    assert person.revision == after, "nothing is new: nothing is written"


def test_what_is_kept_of_an_account_names_no_iban(person: Person) -> None:
    person.told(person.giro, person.savings)
    with person.database.session(person.id) as session:
        kept = [each.iban_index or "" for each in session.scalars(select(OwnAccount))]
    assert len(kept) == 2
    assert not any(each in number for each in kept for number in (GIRO, SAVINGS))
