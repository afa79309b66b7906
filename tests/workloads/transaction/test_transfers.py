"""Transfers between own accounts: found when certain, left alone when not."""

from __future__ import annotations

import datetime
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workloads.services.transaction.transfers import Accounts, Movement, contradicted, pair, with_own

DAY = datetime.date(2026, 11, 2)
GIRO, SAVINGS, JOINT = uuid.UUID(int=1), uuid.UUID(int=2), uuid.UUID(int=3)


ACCOUNTS = {GIRO: frozenset({"g"}), SAVINGS: frozenset({"s"})}
"""The joint account has no IBAN."""
UK_ACCOUNTS = {GIRO: frozenset({"g", "ug"}), SAVINGS: frozenset({"us"})}
"""One with an IBAN and a UK number, one with a UK number alone, and the joint account with neither."""


def movement(
    nth: int, account: uuid.UUID, minor: int, day: int = 0, currency: str = "EUR", other: str | None = None
) -> Movement:
    return Movement(uuid.UUID(int=100 + nth), account, DAY + datetime.timedelta(days=day), minor, currency, other)


def test_the_two_sides_of_a_transfer_are_found() -> None:
    out, into = movement(1, GIRO, -20000), movement(2, SAVINGS, 20000, day=1)
    assert pair([into, out]) == [(out.id, into.id)]


def test_the_same_every_month_is_paired_month_by_month() -> None:
    outs = [movement(n, GIRO, -20000, day=30 * n) for n in range(3)]
    intos = [movement(10 + n, SAVINGS, 20000, day=30 * n + 1) for n in range(3)]
    assert pair([*intos, *outs]) == [(o.id, i.id) for o, i in zip(outs, intos, strict=True)]


def test_what_could_be_either_of_two_accounts_is_left_alone() -> None:
    assert pair([movement(1, GIRO, -500), movement(2, SAVINGS, 500), movement(3, JOINT, 500)]) == []
    assert pair([movement(1, GIRO, -500), movement(2, JOINT, -500), movement(3, SAVINGS, 500)]) == []


def test_one_account_other_currencies_and_later_days_are_no_transfer() -> None:
    assert pair([movement(1, GIRO, -500), movement(2, GIRO, 500)]) == []
    assert pair([movement(1, GIRO, -500), movement(2, SAVINGS, 500, currency="SEK")]) == []
    assert pair([movement(1, GIRO, -500), movement(2, SAVINGS, 500, day=4)]) == []
    assert pair([movement(1, GIRO, 0), movement(2, SAVINGS, 0)]) == []


def test_an_iban_says_which_of_two_accounts_is_meant() -> None:
    out, into = movement(1, GIRO, -500, other="s"), movement(2, SAVINGS, 500)
    assert pair([out, into, movement(3, JOINT, 500)], ACCOUNTS) == [(out.id, into.id)]
    out, into = movement(1, GIRO, -500), movement(2, SAVINGS, 500, other="g")
    assert pair([out, movement(3, JOINT, -500), into], ACCOUNTS) == [(out.id, into.id)]


def test_an_iban_of_somebody_else_is_no_transfer_though_amount_and_day_are_the_same() -> None:
    into = movement(2, SAVINGS, 500)
    assert pair([movement(1, GIRO, -500, other="landlord"), into], ACCOUNTS) == []
    assert pair([movement(1, GIRO, -500), movement(2, SAVINGS, 500, other="employer")], ACCOUNTS) == []
    assert pair([movement(1, GIRO, -500, other="s"), movement(3, JOINT, 500)], ACCOUNTS) == [], "it is another's IBAN"
    assert pair([movement(1, GIRO, -500, other="landlord"), movement(3, JOINT, 500)], ACCOUNTS), "it may be its own"


def test_what_both_sides_name_is_paired_before_what_one_names() -> None:
    out, into = movement(1, GIRO, -500, other="s"), movement(2, SAVINGS, 500, day=1, other="g")
    assert pair([out, movement(3, SAVINGS, 500), into], ACCOUNTS) == [(out.id, into.id)]


@pytest.mark.parametrize(
    ("other", "expected"),
    [("s", True), ("g", False), ("x", False), (None, False)],
    ids=["own", "itself", "else", "none"],
)
def test_a_transaction_is_with_an_own_account_by_its_iban(other: str | None, expected: bool) -> None:
    assert with_own(GIRO, other, ACCOUNTS) is expected


def test_sub_accounts_share_an_iban_and_are_two_accounts() -> None:
    shared = {GIRO: frozenset({"g"}), JOINT: frozenset({"g"})}
    assert with_own(GIRO, "g", shared)
    assert pair([movement(1, GIRO, -500, other="g"), movement(2, JOINT, 500)], shared)


def test_a_uk_number_says_which_of_two_accounts_is_meant_and_what_is_somebody_elses() -> None:
    out, into = movement(1, GIRO, -500, other="us"), movement(2, SAVINGS, 500)
    assert pair([out, into, movement(3, JOINT, 500)], UK_ACCOUNTS) == [(out.id, into.id)]
    assert with_own(SAVINGS, "ug", UK_ACCOUNTS)
    assert pair([movement(1, GIRO, -500, other="ux"), into], UK_ACCOUNTS) == []
    assert pair([movement(1, GIRO, -500, other="us"), movement(3, JOINT, 500)], UK_ACCOUNTS) == [], "it is another's"


def test_numbers_of_two_kinds_are_not_held_against_each_other() -> None:
    out, into = movement(1, GIRO, -500, other="iban of savings"), movement(2, SAVINGS, 500, other="ug")
    assert pair([out, into], UK_ACCOUNTS) == [(out.id, into.id)], (
        "savings' own IBAN is not known: nothing speaks against"
    )


MOVEMENTS = st.lists(
    st.tuples(st.sampled_from([GIRO, SAVINGS, JOINT]), st.sampled_from([-500, 500, -700, 700]), st.integers(0, 9),
              st.just("EUR"), st.sampled_from([None, None, "g", "s", "x", "ug", "us", "ux"])),
    max_size=12,
).map(lambda found: [movement(n, *each) for n, each in enumerate(found)])  # fmt: skip


@given(MOVEMENTS, st.sampled_from([{}, ACCOUNTS, UK_ACCOUNTS]), st.randoms(use_true_random=False))
def test_each_is_a_side_of_one_transfer_at_most_whatever_the_order(
    found: list[Movement], accounts: Accounts, random: object
) -> None:
    pairs, by_id = pair(found, accounts), {each.id: each for each in found}
    sides = [each for both in pairs for each in both]
    assert len(sides) == len(set(sides))
    for out, into in pairs:
        assert by_id[out].minor == -by_id[into].minor < 0
        assert by_id[out].account_id != by_id[into].account_id
        assert not contradicted(by_id[out], by_id[into], accounts)
    random.shuffle(found)  # type: ignore[attr-defined]
    assert set(pair(found, accounts)) == set(pairs)


OTHERS = st.lists(
    st.tuples(st.sampled_from([GIRO, SAVINGS]), st.sampled_from([-500, 500]), st.integers(0, 60)), max_size=8
)


@given(st.lists(st.tuples(st.integers(-3, 3), st.booleans(), st.booleans()), max_size=8), OTHERS,
       st.randoms(use_true_random=False))  # fmt: skip
def test_a_transfer_that_a_side_names_is_found_whatever_else_has_its_amount(
    made: list[tuple[int, bool, bool]], others: list[tuple[uuid.UUID, int, int]], random: object
) -> None:
    """others: with somebody else, whose IBAN is told."""
    outs = [movement(n, GIRO, -500, 10 * n, other="s" if names or not named else None)
            for n, (_, names, named) in enumerate(made)]  # fmt: skip
    ins = [movement(20 + n, SAVINGS, 500, 10 * n + late, other="g" if named else None)
           for n, (late, _, named) in enumerate(made)]  # fmt: skip
    noise = [movement(40 + n, *each, other="x") for n, each in enumerate(others)]
    every = [*outs, *ins, *noise]
    random.shuffle(every)  # type: ignore[attr-defined]  # hypothesis' Random
    assert sorted(pair(every, ACCOUNTS)) == [(out.id, into.id) for out, into in zip(outs, ins, strict=True)]
