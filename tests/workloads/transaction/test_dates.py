"""Dates that are off: a bank's clock ahead or behind, dates that it corrects, our own clock set back. Once each."""

from __future__ import annotations

import datetime
import hashlib
import uuid
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from tests.workloads.platform import Platform
from tests.workloads.servers import Issuer, Postgres
from tests.workloads.transaction.test_matching import DAY, ENTRIES, told
from workloads.chassis import clock
from workloads.chassis.database import Database
from workloads.chassis.userkeys import Cipher
from workloads.services.transaction import imports
from workloads.services.transaction.domain import Known, Told, keyed, plan
from workloads.services.transaction.models import Synchronised, Transaction

ONE, DAYS = datetime.timedelta(days=1), datetime.timedelta(days=30)


@pytest.fixture(scope="module")
def database(server: Postgres) -> Iterator[Database]:
    opened = Database(server.service_url("transaction", "dates"))
    yield opened
    opened.close()


class Account:
    """An account whose bank tells lists."""

    def __init__(self, database: Database) -> None:
        self.database, self.user, self.id = database, uuid.uuid4(), uuid.uuid4()

    def take(
        self, entries: Sequence[Told], since: datetime.date = DAY - DAYS, asked: datetime.datetime | None = None
    ) -> tuple[int, int, int]:
        """asked: when a list that is complete was asked for; None takes one that may not be."""
        digest = hashlib.sha256(repr(entries).encode()).hexdigest()
        told = imports.Listing(
            self.id, "aurora", entries, since, DAY, covers_pending=True, unreadable=0, digest=digest,
            asked=asked or clock.now(), complete=asked is not None,
        )  # fmt: skip
        with self.database.session(self.user) as session:
            found = imports.import_list(session, self.user, Cipher(self.user, bytes(32)), told)
        return found.added, found.updated, found.removed

    @property
    def listed(self) -> Counter[datetime.date]:
        with self.database.session(self.user) as session:
            return Counter(session.scalars(select(Transaction.date).where(Transaction.state == "listed")))


@pytest.fixture
def account(database: Database) -> Account:
    return Account(database)


def test_a_bank_that_tells_more_than_it_was_asked_for_doubles_nothing(account: Account) -> None:
    entries = [told(day=-n, transaction_id=f"T{n}") for n in range(60)] + [told(-1, booking_date=None)]
    assert account.take(entries, DAY - 2 * DAYS) == (61, 0, 0)
    assert account.take([*entries, told(-7)], DAY) == (1, 0, 0), "all of them again, though asked for one day"


def test_one_without_a_date_is_recognised_however_long_ago_it_was_first_told(account: Account) -> None:
    undated = told(booking_date=None)
    assert account.take([undated]) == (1, 0, 0)
    assert account.take([undated, told(-1)], DAY + DAYS) == (1, 0, 0)


@pytest.mark.parametrize("ahead", [1, 3, 7, -1, -7])
def test_a_bank_that_mends_its_clock_moves_what_it_told_and_doubles_nothing(account: Account, ahead: int) -> None:
    def entries(by: int) -> list[Told]:
        return [told(-n - 100, day=by - n, transaction_id=f"T{n}") for n in range(20)]

    assert account.take(entries(ahead)) == (20, 0, 0)
    assert account.take([*entries(0), told(-9, day=-28)]) == (1, 20, 0)
    assert account.take([*entries(0), told(-9, day=-28)]) == (0, 0, 0)


def test_what_was_deleted_stays_deleted_when_its_date_is_corrected() -> None:
    first = told(day=1, transaction_id="A")
    [(key, _)] = keyed([first]).items()
    deleted = Known(1, key, "booked", DAY + ONE, first, "deleted")
    changes = plan([deleted], [told(transaction_id="A")], covers_pending=True, complete_from=DAY)
    assert [known.row for known, _, _ in changes.updates] == [1]
    assert not changes.inserts


@pytest.mark.parametrize(
    ("known", "batch"),
    [
        ([told(transaction_id="M")], [told(day=30, transaction_id="M")]),
        ([told(transaction_id="A")], [told(day=1, transaction_id="B")]),
        ([told(transaction_id="A")], [told(-481, day=1, transaction_id="A")]),
        ([told()], [told(day=2)]),
        ([told()], [told(day=1, counterparty="Markt")]),
        ([told(), told(day=2)], [told(day=1)]),
        ([told(transaction_id="A")], [told(transaction_id="A"), told(day=1, transaction_id="A")]),
    ],
    ids=["a mandate's id", "another id", "another amount", "too far without an id", "another party",
         "either of two", "both are told"],
)  # fmt: skip
def test_what_is_no_correction_is_another_transaction(known: list[Told], batch: list[Told]) -> None:
    rows = [Known(n, key, "booked", each.date or DAY, each) for n, (key, each) in enumerate(keyed(known).items())]
    seen = told(-1, day=-1)  # the list reaches back to what is known
    changes = plan(rows, [seen, *batch], covers_pending=True, complete_from=DAY - DAYS)
    assert not changes.updates
    assert len(changes.inserts) == len(set(keyed([seen, *batch])) - set(keyed(known)))


def test_a_list_that_was_cut_short_moves_nothing() -> None:
    known = [Known(1, next(iter(keyed([told(transaction_id="A")]))), "booked", DAY, told(transaction_id="A"))]
    changes = plan(known, [told(day=3, transaction_id="A")], covers_pending=True, complete_from=DAY - DAYS)
    assert not changes.updates, "it begins after what is known: nothing is said of that"
    unknown = plan(known, [told(day=-3), told(day=3, transaction_id="A")], covers_pending=True)
    assert not unknown.updates


@given(st.lists(ENTRIES, max_size=10), st.integers(-7, 7))
def test_whatever_a_bank_told_under_a_wrong_clock_is_there_once_after_it_told_it_rightly(
    batch: list[Told], skew: int
) -> None:
    right = [replace(each, transaction_id=f"T{n}") for n, each in enumerate(batch)]
    wrong = [replace(each, booking_date=each.booking_date + skew * ONE) for each in right if each.booking_date]
    anchor = told(-1, day=-20)
    rows = [Known(n, key, "booked", each.date or DAY, each) for n, (key, each) in enumerate(keyed(wrong).items())]
    changes = plan(rows, [anchor, *right], covers_pending=True, complete_from=DAY - DAYS)
    assert [each for _, each in changes.inserts] == [anchor]
    assert len(changes.updates) == (len(right) if skew else 0)


def test_a_clock_that_was_ahead_when_an_account_was_read_hides_nothing_afterwards(
    platform: Platform, issuer: Issuer
) -> None:
    person = f"ahead-{uuid.uuid4()}"
    platform.connect(person, "borealis")
    platform.synchronise(person)
    before = platform.ledger(person)
    database = platform.states["transaction"].database
    with database.session(issuer.pseudonym(person)) as session:
        for each in session.scalars(select(Synchronised)):
            each.until, each.digest = clock.today() + 400 * ONE, None
        late = session.scalars(
            select(Transaction).where(Transaction.date < clock.today() - 2 * ONE, Transaction.status == "booked")
            .order_by(Transaction.date.desc(), Transaction.sequence)
        ).first()  # fmt: skip
        assert late
        session.delete(late)  # as if the bank had booked it only now
    added = [each["added"] for each in platform.synchronise(person)["accounts"]]
    assert sum(added) == 1
    assert len(platform.ledger(person)) == len(before)


def test_a_list_that_was_overtaken_by_a_later_one_brings_nothing_back(account: Account) -> None:
    before = clock.now() - datetime.timedelta(minutes=1)
    pending = told(status="pending", booking_date=None, value_date=DAY)
    assert account.take([pending], asked=before) == (1, 0, 0)
    assert account.take([told()]) == (0, 1, 0), "it is booked"
    assert account.take([pending, told(-1)], asked=before) == (0, 0, 0), "asked for before, told after"
    assert sum(account.listed.values()) == 1
    with account.database.session(account.user) as session:
        for each in session.scalars(select(Synchronised)):
            each.at = clock.now() + DAYS  # under a clock that was ahead
    assert account.take([told(), told(-1)]) == (1, 0, 0)
