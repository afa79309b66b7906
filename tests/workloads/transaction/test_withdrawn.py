"""Booked transactions that a bank withdraws: they go when complete lists lack them for long enough, and come back."""

from __future__ import annotations

import datetime
import uuid
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, update

from tests.workloads.notification.test_flow import AWAKE
from tests.workloads.platform import Platform
from tests.workloads.servers import Issuer, Postgres
from tests.workloads.transaction.test_dates import Account
from tests.workloads.transaction.test_matching import DAY, ENTRIES, Ledger, told
from workloads.chassis import clock
from workloads.chassis.database import Database
from workloads.services.budget.models import Fact
from workloads.services.transaction import imports
from workloads.services.transaction.domain import GONE_AFTER, Proof, Told, fingerprint, keyed
from workloads.services.transaction.models import Synchronised, Transaction

SINCE = DAY - datetime.timedelta(days=30)
NOON = datetime.datetime(2026, 11, 6, 12, tzinfo=datetime.UTC)
UNTIL = NOON.date()
ANCHOR = told(-1, day=-20, transaction_id="ANCHOR")
"""The lists reach back to what is known."""
HOUR = datetime.timedelta(hours=1)


class Bank(Ledger):
    """A ledger whose bank is asked for lists, each some hours after the one before."""

    def __init__(self) -> None:
        super().__init__()
        self.now = NOON

    def reads(self, *entries: Told, later: float = 12, complete: bool = True, **more: Any) -> tuple[int, int, int]:
        self.now += later * HOUR
        proof = Proof(UNTIL, self.now) if complete else None
        return self.take([ANCHOR, *entries], complete_from=SINCE, proof=proof, **more)

    @property
    def listed(self) -> Counter[Told]:
        return self.content - Counter([ANCHOR])


HISTORIES = st.lists(ENTRIES, max_size=6).map(lambda batch: list(keyed(batch).values()))
READINGS = st.lists(
    st.tuples(st.integers(0, 2), st.sets(st.integers(0, 5)), st.sampled_from([0.0, 1.0, 11.0, 12.0, 40.0, -3.0])),
    max_size=8,
)
"""Which of the bank's histories was told, what was left out of it, and how many hours later."""


@given(st.lists(HISTORIES, min_size=3, max_size=3), READINGS, READINGS)
def test_whatever_was_read_before_two_complete_lists_leave_exactly_what_they_tell(
    told_once: list[list[Told]], before: list[tuple[int, set[int], float]], after: list[tuple[int, set[int], float]]
) -> None:
    bank = Bank()
    for which, lacking, hours in before:
        entries = [each for n, each in enumerate(told_once[which]) if n not in lacking]
        bank.reads(*entries, later=hours, complete=not lacking)
    truth = told_once[0]
    bank.reads(*truth, later=50)
    bank.reads(*truth)
    assert bank.listed == Counter(truth)
    rows = bank.rows.copy()
    for _, lacking, hours in after:
        entries = [each for n, each in enumerate(truth) if n not in lacking]
        assert bank.reads(*reversed(entries), later=hours, complete=not lacking) == (0, 0, 0)
    assert bank.rows == rows, "any order, overlap and repetition of it gives the same ledger"


@given(HISTORIES, HISTORIES, st.sets(st.integers(1, 8), max_size=3), READINGS)
def test_what_the_person_deleted_stays_deleted_whatever_the_bank_withdraws_and_tells_again(
    first: list[Told], second: list[Told], deleted: set[int], readings: list[tuple[int, set[int], float]]
) -> None:
    bank = Bank()
    bank.reads(*first)
    deleted &= {row for row, each in bank.rows.items() if each.told != ANCHOR}
    for row in deleted:
        bank.delete(row)
    for which, _, hours in [*readings, (1, set(), 50.0), (1, set(), 12.0)]:
        bank.reads(*(first if which == 0 else second), later=hours)
    assert {bank.rows[row].state for row in deleted} <= {"deleted"}
    now, rows = keyed([ANCHOR, *second]), {each.key: each for each in bank.rows.values()}
    assert {key for key in now if rows[key].state != "listed"} <= {bank.rows[row].key for row in deleted}
    kept = {fingerprint(each.told) for key, each in rows.items() if each.state == "listed" and key not in now}
    hidden = {fingerprint(bank.rows[row].told) for row in deleted}
    assert kept <= hidden, "of lookalikes what the person sees stays"


@given(HISTORIES, READINGS)
def test_lists_that_may_lack_something_withdraw_nothing(
    batch: list[Told], readings: list[tuple[int, set[int], float]]
) -> None:
    bank = Bank()
    bank.reads(*batch)
    for _, lacking, hours in readings:
        bank.reads(*(each for n, each in enumerate(batch) if n not in lacking), later=hours + 50, complete=False)
    assert bank.listed == Counter(batch)


A, B = told(transaction_id="A"), told(-900, day=1, transaction_id="B")


def test_a_booked_one_goes_once_lists_lacked_it_for_half_a_day_and_comes_back_as_it_was() -> None:
    bank = Bank()
    bank.reads(A, B)
    assert bank.reads(A) == (0, 0, 0), "one list may lack it by mistake"
    assert bank.reads(A, later=11) == (0, 0, 0)
    assert bank.reads(A, later=1) == (0, 0, 1)
    assert bank.listed == Counter([A])
    row = next(row for row, each in bank.rows.items() if each.told == B)
    assert bank.reads(A, B) == (0, 1, 0)
    assert bank.rows[row].state == "listed"
    assert len(bank.rows) == 3


def test_one_that_is_told_in_between_is_not_missing() -> None:
    bank = Bank()
    bank.reads(A, B)
    for _ in range(3):
        assert bank.reads(A) == (0, 0, 0)
        assert bank.reads(A, B, complete=False) == (0, 0, 0)
    assert bank.listed == Counter([A, B])


def test_a_list_that_was_asked_for_earlier_and_comes_later_withdraws_nothing_new() -> None:
    bank = Bank()
    bank.reads(A)
    bank.reads(A, B, later=13)
    assert bank.reads(A, later=-13) == (0, 0, 0)
    assert bank.reads(A, B, later=14) == (0, 0, 0)
    assert bank.reads(A, later=1) == (0, 0, 0)


@pytest.mark.parametrize(
    "untouched",
    [
        told(-7, day=-20),
        told(-7, day=-25),
        told(-7, value_date=DAY - datetime.timedelta(days=24)),
        told(-7, value_date=UNTIL + datetime.timedelta(days=1)),
        told(-7, booking_date=UNTIL + datetime.timedelta(days=1)),
        told(-7, booking_date=None, value_date=DAY),
        told(-7, booking_date=None),
    ],
    ids=["as old as the oldest", "before the list's oldest", "by value before the period", "by value after it",
         "after it", "never booked on a day", "without a date"],
)  # fmt: skip
def test_what_the_list_need_not_tell_stays(untouched: Told) -> None:
    bank = Bank()
    bank.reads(untouched, A)
    for _ in range(3):
        assert bank.reads(A) == (0, 0, 0)
    assert bank.listed == Counter([untouched, A])


def test_an_empty_list_or_one_of_pending_ones_alone_withdraws_nothing() -> None:
    bank = Bank()
    bank.reads(A, B)
    waiting = replace(told(-3, day=-20), status="pending")
    for entries in ([], [waiting], [], [waiting]):
        bank.now += GONE_AFTER
        bank.take(entries, complete_from=SINCE, proof=Proof(UNTIL, bank.now))
    assert bank.listed - Counter([waiting]) == Counter([A, B])


def test_a_correction_of_what_was_withdrawn_brings_it_back_as_what_it_is_now() -> None:
    bank = Bank()
    bank.reads(A, B)
    bank.reads(A)
    bank.reads(A)
    moved = replace(B, booking_date=DAY + datetime.timedelta(days=3))
    assert bank.reads(A, moved) == (0, 1, 0)
    assert len(bank.rows) == 3


def test_of_two_lookalikes_the_one_that_is_still_listed_gets_the_new_id() -> None:
    bank = Bank()
    bank.reads(A, replace(A, transaction_id="A2"))
    bank.reads(A)
    bank.reads(A)
    gone = next(row for row, each in bank.rows.items() if each.state == "withdrawn")
    bank.reads(replace(A, transaction_id="A3"))
    assert bank.rows[gone].state == "withdrawn"
    assert len(bank.rows) == 3


@pytest.fixture(scope="module")
def database(server: Postgres) -> Iterator[Database]:
    opened = Database(server.service_url("transaction", "withdrawn"))
    yield opened
    opened.close()


def state(account: Account, minor: int) -> Transaction:
    with account.database.session(account.user) as session:
        return session.scalars(select(Transaction).where(Transaction.minor == minor)).one()


def test_the_same_list_withdraws_in_time_though_it_says_nothing_new(database: Database) -> None:
    account, now = Account(database), clock.now()
    history: Sequence[Told] = [told(-1, day=-20), told(-2, day=-5), told(-3)]
    without = [history[0], history[2]]
    assert account.take(history, asked=now) == (3, 0, 0)
    assert account.take(without, asked=now + HOUR) == (0, 0, 0)
    with database.session(account.user) as session:
        kept = session.scalars(select(Synchronised.digest).where(Synchronised.account_id == account.id)).one()
    assert kept is None, "it is not passed over as known"
    assert state(account, -2).missing == now + HOUR
    assert account.take(without, asked=now + 13 * HOUR) == (0, 0, 1)
    assert state(account, -2).state == "withdrawn"
    before = state(account, -2).id
    assert account.take(history, asked=now + 26 * HOUR) == (0, 1, 0)
    assert (state(account, -2).id, state(account, -2).state, state(account, -2).missing) == (before, "listed", None)


@pytest.mark.parametrize(("complete", "unreadable"), [(False, 0), (True, 1)], ids=["not complete", "half read"])
def test_a_list_that_may_lack_something_or_was_half_read_proves_nothing(complete: bool, unreadable: int) -> None:
    def listing(entries: Sequence[Told], *, complete: bool, unreadable: int) -> imports.Listing:
        return imports.Listing(
            uuid.uuid4(), "aurora", entries, SINCE, UNTIL, covers_pending=True, unreadable=unreadable, digest="",
            asked=NOON, complete=complete,
        )  # fmt: skip

    bank = Bank()
    bank.reads(A, B)
    known = list(bank.rows.values())
    assert listing([ANCHOR, A], complete=True, unreadable=0).plan(known).missing
    assert listing([ANCHOR, A], complete=complete, unreadable=unreadable).plan(known).is_empty


def test_a_withdrawn_side_ends_its_transfer_and_one_that_comes_back_is_a_side_again(database: Database) -> None:
    giro, now = Account(database), clock.now()
    savings = Account(database)
    savings.user = giro.user
    anchor, out, into = told(-1, day=-20), told(-5000, day=-5), told(5000, day=-4)
    savings.take([told(1, day=-20), into, told(7)], asked=now)
    giro.take([anchor, out, told(-3)], asked=now)
    assert state(giro, -5000).transfer_id == state(giro, 5000).id
    for hours in (1, 13):
        giro.take([anchor, told(-3)], asked=now + hours * HOUR)
    assert (state(giro, -5000).transfer_id, state(giro, 5000).transfer_id) == (None, None)
    giro.take([anchor, out, told(-3)], asked=now + 14 * HOUR)
    assert state(giro, -5000).transfer_id == state(giro, 5000).id


def test_a_person_is_told_and_what_they_spent_is_reckoned_without_it(platform: Platform, issuer: Issuer) -> None:
    person = f"withdrawn-{uuid.uuid4()}"
    platform.call(person, "notification", "PUT", "/preferences", json=AWAKE | {"language": "en"})
    platform.connect(person, "borealis")
    platform.synchronise(person)
    platform.settle()
    user = issuer.pseudonym(person)
    with platform.states["transaction"].database.session(user) as session:
        # As if the bank had told another one in its place until yesterday.
        gone = session.scalars(
            select(Transaction).where(Transaction.minor < 0, Transaction.status == "booked")
            .order_by(Transaction.date.desc(), Transaction.sequence).offset(20)
        ).first()  # fmt: skip
        assert gone
        gone.key, gone.transaction_id, gone.minor = "booked:id:gone", "gone", -777
        gone.missing = clock.now() - GONE_AFTER
        session.execute(update(Synchronised).values(digest=None))
        identifier = gone.id
    accounts = platform.synchronise(person)["accounts"]
    assert [sum(each[what] for each in accounts) for what in ("added", "removed")] == [1, 1]
    platform.settle()
    assert str(identifier) not in {each["id"] for each in platform.history(person)}
    assert [each["id"] for each in platform.history(person, state="withdrawn")] == [str(identifier)]
    inbox = platform.call(person, "notification", "GET", "/notifications")["notifications"]
    assert [each["text"] for each in inbox] == ["borealis no longer lists 1 of your booked transactions."]
    with platform.states["budget"].database.session(user) as session:
        assert session.scalars(select(Fact.removed).where(Fact.transaction_id == identifier)).one()
