"""By which consent an account is reached, also where it is read while a bank is renewed, or the person erased."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Collection, Iterator
from typing import Any

import psycopg
import pytest
from sqlalchemy import select

from tests.workloads.servers import Postgres
from workloads.chassis import erasure, userkeys
from workloads.chassis.database import Database
from workloads.chassis.events.tables import OutboxEvent
from workloads.chassis.problems import Problem
from workloads.chassis.userkeys import GivenKeyWrapper, UserKeys
from workloads.services.account import store
from workloads.services.account.models import Account, Base

KEYS = UserKeys(GivenKeyWrapper(bytes(32)))
IBAN = "DE89370400440532013000"


@pytest.fixture(scope="module")
def database(server: Postgres) -> Iterator[Database]:
    opened = Database(server.service_url("account", "account_connections"))
    yield opened
    opened.close()


class Person:
    """Somebody whose bank tells one account under each consent."""

    def __init__(self, database: Database) -> None:
        self.database, self.id = database, uuid.uuid4()

    def read(self, consent: uuid.UUID, listed: Collection[uuid.UUID], minor: int = 100, iban: str = IBAN) -> None:
        with self.database.session(self.id) as session:
            told = self.told_by_bank(consent, minor, iban)
            store.keep(session, KEYS.cipher(session, self.id), self.id, *told, listed)

    def told_by_bank(
        self, consent: uuid.UUID, minor: int = 100, iban: str = IBAN
    ) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        about = {"id": str(consent), "bank": "aurora", "bank_consent_id": str(uuid.uuid4())}
        balance = {"kind": "closingBooked", "amount": {"minor": minor, "currency": "EUR"}, "date": None}
        told = {
            "id": str(uuid.uuid4()), "iban": iban, "other_id": None, "uk_number": None, "resource_id": "1",
            "currency": "EUR",
            "name": None, "kind": None, "balances": [balance],
        }  # fmt: skip
        return about, [told]

    def ended(self, *consents: uuid.UUID) -> None:
        with self.database.session(self.id) as session:
            store.disconnect(session, self.id, consents)

    @property
    def reached(self) -> tuple[uuid.UUID, bool]:
        with self.database.session(self.id) as session:
            row = session.scalars(select(Account)).one()
            return row.consent_id, row.connected

    @property
    def told(self) -> list[str]:
        with self.database.session() as session:
            query = select(OutboxEvent.envelope).where(OutboxEvent.key == str(self.id)).order_by(OutboxEvent.sequence)
            return [
                kind for text in session.scalars(query) for kind in ("linked", "closed") if f"account.{kind}" in text
            ]


@pytest.fixture
def person(database: Database) -> Person:
    return Person(database)


def test_a_read_that_began_before_a_renewal_takes_nothing_away_from_it(person: Person) -> None:
    old, new = uuid.uuid4(), uuid.uuid4()
    person.read(old, [old])
    person.read(new, [old, new])
    person.read(old, [old], minor=200)  # asked before there was a new one, answered after
    assert person.reached == (new, True)
    with person.database.session(person.id) as session:
        account = session.scalars(select(Account)).one()
        assert [each.minor for each in store.balances(session, [account.id])[account.id]] == [200], "which is news"
    person.ended(old)
    assert person.reached == (new, True)
    assert person.told == ["linked"]


def test_an_account_is_reached_by_the_consent_that_was_read_last_of_those_that_were_known(person: Person) -> None:
    old, new = uuid.uuid4(), uuid.uuid4()
    person.read(new, [old, new])
    person.read(old, [old, new])
    assert person.reached == (old, True)
    person.ended(old)
    assert person.reached == (old, False)
    person.ended(old)
    assert person.told == ["linked", "closed"], "once"
    person.read(new, [old, new])
    assert person.reached == (new, True)


def test_an_account_that_the_bank_tells_no_more_under_its_consent_is_disconnected(person: Person) -> None:
    consent, other = uuid.uuid4(), uuid.uuid4()
    person.read(consent, [consent])
    person.read(consent, [consent], iban="DE02120300000000202051")
    with person.database.session(person.id) as session:
        assert sorted(session.scalars(select(Account.connected))) == [False, True]
    assert person.told == ["linked", "closed", "linked"]
    person.read(other, [consent, other], iban="DE02500105170137075030")
    with person.database.session(person.id) as session:
        assert sorted(session.scalars(select(Account.connected))) == [False, True, True], "another consent's stays"


def erase(person: Person) -> None:
    with person.database.session(person.id) as session:
        erasure.erase_rows(session, [Base, userkeys.Base])


def test_what_was_read_before_an_erasure_is_not_kept_after_it(person: Person) -> None:
    with person.database.session(person.id) as session:
        before = KEYS.cipher(session, person.id)
    erase(person)
    for _ in range(2):
        with pytest.raises(Problem, match="erased"), person.database.session(person.id) as session:
            KEYS.hold(session, person.id, before)
        with person.database.session(person.id) as session:
            anew = KEYS.cipher(session, person.id)  # the person came back: with another key
            KEYS.hold(session, person.id, anew)


def test_an_erasure_waits_for_what_is_being_kept_and_finds_it(person: Person, server: Postgres) -> None:
    with person.database.session(person.id) as session:
        cipher = KEYS.cipher(session, person.id)
    with person.database.session(person.id) as session:
        KEYS.hold(session, person.id, cipher)
        erasing = threading.Thread(target=erase, args=(person,))
        erasing.start()
        waits = "SELECT count(*) FROM pg_locks WHERE NOT granted"
        with psycopg.connect(host=str(server.socket_folder), user="postgres", autocommit=True) as looking:
            deadline = time.monotonic() + 60
            while erasing.is_alive() and looking.execute(waits).fetchone() == (0,):
                assert time.monotonic() < deadline, "it does not wait"
                time.sleep(0.01)
        store.keep(session, cipher, person.id, *person.told_by_bank(uuid.uuid4()), [])
    erasing.join(60)
    with person.database.session(person.id) as session:
        assert list(session.scalars(select(Account))) == []


def test_numbers_that_are_known_everywhere_are_told_of_accounts(database: Database) -> None:
    person = uuid.uuid4()
    about = {"id": str(uuid.uuid4()), "bank": "albion", "bank_consent_id": str(uuid.uuid4())}
    base = {"currency": "GBP", "name": None, "kind": None, "balances": []}
    told = [
        {**base, "id": str(uuid.uuid4()), "resource_id": name, "iban": iban, "other_id": other, "uk_number": uk}
        for name, iban, other, uk in (
            ("both", "GB33BUKB20201555555555", None, "20201555555555"), ("iban", IBAN, None, None),
            ("uk", None, "20201612345678", "20201612345678"), ("card", None, "20201612345679", None),
        )
    ]  # fmt: skip
    with database.session(person) as session:
        cipher = KEYS.cipher(session, person)
        store.keep(session, cipher, person, about, told, [])
        found = {(each.iban, each.uk) for each in store.numbers(session, cipher)}
    assert found == {("GB33BUKB20201555555555", "20201555555555"), (IBAN, None), (None, "20201612345678")}
