"""Taking over a bank's lists: nothing twice, nothing lost, in whatever order they come."""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from workloads.chassis.money import Money
from workloads.services.transaction.domain import Known, Proof, Told, keyed, plan

DAY = datetime.date(2026, 11, 2)


def told(minor: int = -480, day: int = 0, **more: object) -> Told:
    date = DAY + datetime.timedelta(days=day)
    return replace(Told("booked", Money(minor, "EUR"), booking_date=date, counterparty="Backhaus"), **more)  # type: ignore[arg-type]


def pending(minor: int = -480, day: int = 0, **more: object) -> Told:
    date = DAY + datetime.timedelta(days=day)
    made = Told("pending", Money(minor, "EUR"), value_date=date, counterparty="Backhaus")
    return replace(made, **more)  # type: ignore[arg-type]


class Ledger:
    """What the store does with a plan, without a database."""

    def __init__(self) -> None:
        self.rows: dict[int, Known] = {}
        self.next = 0
        self.suggested: list[tuple[int, Told]] = []

    def take(
        self,
        batch: Sequence[Told],
        *,
        covers_pending: bool = True,
        complete_from: datetime.date | None = None,
        proof: Proof | None = None,
    ) -> tuple[int, int, int]:
        changes = plan(
            list(self.rows.values()), batch, covers_pending=covers_pending, complete_from=complete_from, proof=proof
        )
        for each in changes.missing:
            assert proof
            self.rows[each.row] = replace(each, missing=each.missing or proof.asked)
        for each in changes.found:
            self.rows[each.row] = replace(each, missing=None)
        for gone in changes.withdrawals:
            self.rows[gone.row] = replace(gone, state="withdrawn")
        for known, key, each in changes.updates:
            state = "deleted" if known.state == "deleted" else "listed"
            self.rows[known.row] = Known(known.row, key, each.status, each.date or known.date, each, state)
        for key, each in changes.inserts:
            self.next += 1
            self.rows[self.next] = Known(self.next, key, each.status, each.date or DAY, each)
        by_key = {each.key: each.told for each in self.rows.values()}
        assert len(by_key) == len(self.rows), "a key is one row's"
        self.suggested += [(known.row, by_key[key]) for known, key in changes.suggestions]
        return len(changes.inserts), len(changes.updates), len(changes.withdrawals)

    def delete(self, row: int) -> None:
        self.rows[row] = replace(self.rows[row], state="deleted")

    @property
    def content(self) -> Counter[Told]:
        return Counter(each.told for each in self.rows.values() if each.state == "listed")


ENTRIES = st.builds(
    told,
    minor=st.sampled_from([-480, -480, 100, -9900]),
    day=st.integers(0, 3),
    transaction_id=st.sampled_from([None, None, "A", "B"]),
    entry_reference=st.sampled_from([None, "R1"]),
    counterparty=st.sampled_from(["Backhaus", None, "Markt"]),
)
UNIQUE_IDS = st.lists(ENTRIES, max_size=12).map(lambda batch: list(keyed(batch).values()))


@given(UNIQUE_IDS, st.randoms(use_true_random=False))
def test_the_same_list_again_in_any_order_changes_nothing(batch: list[Told], random: object) -> None:
    ledger = Ledger()
    assert ledger.take(batch) == (len(batch), 0, 0)
    before, shuffled = ledger.rows.copy(), list(batch)
    random.shuffle(shuffled)  # type: ignore[attr-defined]  # hypothesis' Random
    assert ledger.take(shuffled) == (0, 0, 0)
    assert ledger.rows == before


@given(UNIQUE_IDS, st.randoms(use_true_random=False))
def test_the_ledger_holds_what_the_bank_told_whatever_its_order(batch: list[Told], random: object) -> None:
    shuffled = list(batch)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    one, other = Ledger(), Ledger()
    one.take(batch)
    other.take(shuffled)
    assert one.content == other.content == Counter(batch)


@given(UNIQUE_IDS, st.integers(0, 3), st.integers(0, 3))
def test_overlapping_periods_add_up_to_the_whole(batch: list[Told], first: int, second: int) -> None:
    ledger = Ledger()
    for start in (first, second, 0, 2):
        ledger.take([each for each in batch if each.date and each.date >= DAY + datetime.timedelta(days=start)])
    assert ledger.content == Counter(batch)


def test_two_identical_purchases_of_a_day_stay_two_and_a_third_is_added() -> None:
    ledger = Ledger()
    assert ledger.take([told(), told()]) == (2, 0, 0)
    assert ledger.take([told(), told()]) == (0, 0, 0)
    assert ledger.take([told(), told(), told()]) == (1, 0, 0)


def test_one_id_on_every_collection_of_a_mandate_does_not_swallow_them() -> None:
    ledger = Ledger()
    assert ledger.take([told(day=0, transaction_id="M"), told(day=30, transaction_id="M")]) == (2, 0, 0)


def test_a_transaction_told_on_two_pages_is_one() -> None:
    assert Ledger().take([told(transaction_id="A"), told(transaction_id="A")]) == (1, 0, 0)


def test_a_corrected_text_updates_its_transaction() -> None:
    ledger = Ledger()
    ledger.take([told(transaction_id="A", remittance="Kart")])
    assert ledger.take([told(transaction_id="A", remittance="Kartenzahlung")]) == (0, 1, 0)


def test_pending_becomes_booked_by_its_id_though_the_amount_changed() -> None:
    ledger = Ledger()
    ledger.take([pending(-5000, transaction_id="A")])
    row = next(iter(ledger.rows))
    assert ledger.take([told(-4711, day=2, transaction_id="A")]) == (0, 1, 0)
    assert list(ledger.rows) == [row], "it keeps its identity"
    assert ledger.rows[row].status == "booked"


def test_pending_without_an_id_becomes_the_only_booked_one_it_can_be() -> None:
    ledger = Ledger()
    ledger.take([pending(), told(-100)])
    assert ledger.take([told(-100), told(day=1, entry_reference="R")]) == (0, 1, 0)


def test_two_identical_pending_ones_become_two_booked_ones_one_after_the_other() -> None:
    ledger = Ledger()
    assert ledger.take([pending(), pending()]) == (2, 0, 0)
    assert ledger.take([pending(), told(day=1)]) == (0, 1, 0)
    assert ledger.take([told(day=1), told(day=1)]) == (0, 1, 0)
    assert ledger.content == Counter([told(day=1), told(day=1)])


def test_what_is_ambiguous_is_not_merged_but_suggested_and_nothing_is_doubled() -> None:
    ledger = Ledger()
    ledger.take([pending(counterparty=None)])
    either = [told(day=1, counterparty="Markt"), told(day=1, counterparty="Kiosk")]
    assert ledger.take(either) == (2, 0, 1)
    assert Counter(ledger.suggested) == Counter([(1, each) for each in either])
    assert ledger.content == Counter(either)


def test_where_the_bank_tells_no_pending_ones_only_an_id_makes_one_booked() -> None:
    ledger = Ledger()
    ledger.take([pending(transaction_id="A"), pending(-900)])
    assert ledger.take([told(day=1, transaction_id="A"), told(-900, day=1)], covers_pending=False) == (1, 1, 0)
    assert ledger.suggested == [(2, told(-900, day=1))], "the other may be the booked one: the person decides"


def test_a_withdrawn_pending_one_that_is_told_again_is_the_same_one() -> None:
    ledger = Ledger()
    ledger.take([pending()])
    ledger.take([])
    assert ledger.content == Counter()
    assert ledger.take([pending()]) == (0, 1, 0)
    assert ledger.content == Counter([pending()])
    assert len(ledger.rows) == 1


def test_what_the_person_deleted_while_pending_does_not_come_back_when_it_is_booked() -> None:
    ledger = Ledger()
    ledger.take([pending(transaction_id="A")])
    ledger.delete(1)
    assert ledger.take([told(-500, day=2, transaction_id="A")]) == (0, 1, 0)
    assert ledger.content == Counter()
    assert ledger.take([told(-500, day=2, transaction_id="A")]) == (0, 0, 0)


def test_a_deleted_one_swallows_nothing_that_only_looks_like_it() -> None:
    ledger = Ledger()
    ledger.take([pending()])
    ledger.delete(1)
    assert ledger.take([told(day=1)]) == (1, 0, 0)


def test_an_amount_corrected_in_its_text_leaves_a_deleted_one_deleted() -> None:
    ledger = Ledger()
    ledger.take([told(transaction_id="A", remittance="Kart")])
    ledger.delete(1)
    assert ledger.take([told(transaction_id="A", remittance="Kartenzahlung")]) == (0, 0, 0)


WINDOWS = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=6)


@given(UNIQUE_IDS, WINDOWS, st.sets(st.integers(1, 12), max_size=4), st.randoms(use_true_random=False))
def test_any_order_overlap_and_repetition_of_lists_gives_the_same_ledger_and_deleted_ones_stay_deleted(
    batch: list[Told], windows: list[tuple[int, int]], deleted: set[int], random: object
) -> None:
    ledger = Ledger()
    ledger.take(batch)
    for row in deleted & set(ledger.rows):
        ledger.delete(row)
    before = ledger.rows.copy()
    for first, last in windows:
        some = [each for each in batch if each.date and first <= (each.date - DAY).days <= last]
        random.shuffle(some)  # type: ignore[attr-defined]
        assert ledger.take(some) == (0, 0, 0)
    assert ledger.rows == before


@given(UNIQUE_IDS, WINDOWS)
def test_lists_of_whole_days_in_any_order_add_up_to_what_they_told(
    batch: list[Told], windows: list[tuple[int, int]]
) -> None:
    def part(first: int, last: int) -> list[Told]:
        return [each for each in batch if each.date and first <= (each.date - DAY).days <= last]

    one, other = Ledger(), Ledger()
    for window in windows:
        one.take(part(*window))
    for window in reversed([*windows, *windows]):
        other.take(part(*window))
    assert one.content == other.content
    days = {day for first, last in windows for day in range(first, last + 1)}
    assert one.content == Counter(each for each in batch if each.date and (each.date - DAY).days in days)


def test_a_withdrawn_pending_one_goes_and_an_untold_one_stays() -> None:
    ledger = Ledger()
    ledger.take([pending()])
    assert ledger.take([told(-1)], covers_pending=False) == (1, 0, 0)
    assert ledger.take([told(-1)], covers_pending=True) == (0, 0, 1)


def test_a_much_later_booking_is_another_purchase() -> None:
    ledger = Ledger()
    ledger.take([pending()])
    assert ledger.take([told(day=8)]) == (1, 0, 1)


@given(st.lists(st.tuples(st.sampled_from([-480, -100]), st.integers(0, 2)), max_size=8), st.integers(0, 3))
def test_pending_entries_that_settle_leave_exactly_the_booked_ones(made: list[tuple[int, int]], delay: int) -> None:
    ledger = Ledger()
    ledger.take([pending(minor, day) for minor, day in made])
    booked = [told(minor, day + delay) for minor, day in made]
    ledger.take(booked)
    assert ledger.content == Counter(booked)
    assert ledger.take(booked) == (0, 0, 0)
