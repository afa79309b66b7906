"""Banks that call what they told otherwise later: with a new consent, some change every id. Each is there once."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from tests.workloads.servers import Postgres
from tests.workloads.transaction.test_dates import Account
from tests.workloads.transaction.test_matching import DAY, ENTRIES, told
from workloads.chassis.database import Database
from workloads.services.transaction import store
from workloads.services.transaction.domain import Known, Plan, Told, keyed, plan
from workloads.services.transaction.models import Transaction

SINCE = DAY - datetime.timedelta(days=30)
ANCHOR = told(-1, day=-1)
"""The list reaches back to what is known."""


@pytest.fixture(scope="module")
def database(server: Postgres) -> Iterator[Database]:
    opened = Database(server.service_url("transaction", "renamed"))
    yield opened
    opened.close()


def known(batch: Sequence[Told], deleted: Sequence[int] = ()) -> list[Known]:
    rows = enumerate(keyed(batch).items())
    return [
        Known(n, key, "booked", each.date or DAY, each, "deleted" if n in deleted else "listed")
        for n, (key, each) in rows
    ]


def planned(rows: Sequence[Known], batch: Sequence[Told]) -> Plan:
    return plan(rows, [ANCHOR, *batch], covers_pending=True, complete_from=SINCE)


def added(changes: Plan) -> list[Told]:
    return [each for _, each in changes.inserts if each != ANCHOR]


@given(st.lists(ENTRIES, max_size=10), st.sampled_from([None, "N{}"]), st.sampled_from([None, "E{}"]),
       st.randoms(use_true_random=False))  # fmt: skip
def test_whatever_ids_a_bank_gives_the_same_history_later_nothing_is_there_twice(
    batch: list[Told], transaction_id: str | None, reference: str | None, random: object
) -> None:
    batch = list(keyed(batch).values())
    other = [
        replace(
            each,
            transaction_id=transaction_id and transaction_id.format(n),
            entry_reference=reference and reference.format(n),
        )
        for n, each in enumerate(batch)
    ]
    random.shuffle(other)  # type: ignore[attr-defined]  # hypothesis' Random
    changes = planned(known(batch), other)
    assert added(changes) == []
    assert not changes.withdrawals
    assert len({row.row for row, _, _ in changes.updates}) == len(changes.updates), "each becomes one"


def test_what_was_deleted_stays_deleted_under_its_new_id_and_a_lookalike_stays_listed() -> None:
    same = [told(transaction_id="A"), told(transaction_id="B")]
    changes = planned(known(same, deleted=[0]), [told(transaction_id="C"), told(transaction_id="D")])
    assert added(changes) == []
    assert sorted(row.state for row, _, _ in changes.updates) == ["deleted", "listed"]
    [(row, _, _)] = planned(known(same, deleted=[0]), [told(transaction_id="C")]).updates
    assert row.state == "listed", "of two, what the person sees is what the bank still tells"


@pytest.mark.parametrize("state", ["listed", "deleted"])
def test_an_amount_that_is_corrected_is_no_second_transaction_and_a_deleted_one_stays_deleted(state: str) -> None:
    rows = known([told(-480, transaction_id="A")], deleted=[0] if state == "deleted" else [])
    changes = planned(rows, [told(-580, transaction_id="A")])
    assert added(changes) == []
    [(row, _, after)] = changes.updates
    assert (row.state, after.money.minor) == (state, -580)


def test_a_mandates_collections_of_one_day_are_not_taken_for_corrections() -> None:
    batch = [told(-100, transaction_id="M"), told(-200, transaction_id="M")]
    assert planned(known(batch[:1]), batch).updates == []
    either = planned(known(batch), [told(-300, transaction_id="M"), told(-400, transaction_id="M")])
    assert either.updates == [], "which is which is not known"


def test_an_id_that_the_bank_goes_on_telling_is_another_transactions() -> None:
    changes = planned(known([told(transaction_id="A")]), [told(transaction_id="A"), told(transaction_id="B")])
    assert len(added(changes)) == 1
    assert not changes.updates


def test_a_list_that_does_not_reach_back_renames_nothing() -> None:
    later = [told(day=3), told(transaction_id="B")]
    rows = known([told(day=-9, transaction_id="A")])
    assert not plan(rows, [told(day=-9, transaction_id="B")], covers_pending=True).updates, "it may be cut short"
    assert not plan(rows, later, covers_pending=True, complete_from=DAY).updates


def test_a_long_history_keeps_its_rows_with_all_that_was_made_of_them(database: Database) -> None:
    account = Account(database)
    history = [told(-480, day=-n // 3, transaction_id=f"OLD-{n}") for n in range(60)]
    assert account.take(history) == (60, 0, 0)
    with database.session(account.user) as session:
        before = set(session.scalars(select(Transaction.id)))
        store.delete(session, account.user, next(iter(before)))
    renamed = [replace(each, transaction_id=f"NEW-{n}") for n, each in enumerate(history)]
    assert account.take(renamed) == (0, 60, 0)
    assert account.take(renamed) == (0, 0, 0)
    with database.session(account.user) as session:
        assert set(session.scalars(select(Transaction.id))) == before
        assert len(session.scalars(select(Transaction.id).where(Transaction.state == "listed")).all()) == 59
