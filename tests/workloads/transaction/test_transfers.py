"""Transfers between own accounts: found when certain, left alone when not."""

from __future__ import annotations

import datetime
import uuid

from hypothesis import given
from hypothesis import strategies as st

from workloads.services.transaction.transfers import Movement, pair

DAY = datetime.date(2026, 11, 2)
GIRO, SAVINGS, JOINT = uuid.UUID(int=1), uuid.UUID(int=2), uuid.UUID(int=3)


def movement(nth: int, account: uuid.UUID, minor: int, day: int = 0, currency: str = "EUR") -> Movement:
    return Movement(uuid.UUID(int=100 + nth), account, DAY + datetime.timedelta(days=day), minor, currency)


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


MOVEMENTS = st.lists(
    st.tuples(st.sampled_from([GIRO, SAVINGS, JOINT]), st.sampled_from([-500, 500, -700, 700]), st.integers(0, 9)),
    max_size=12,
).map(lambda found: [movement(n, *each) for n, each in enumerate(found)])


@given(MOVEMENTS, st.randoms(use_true_random=False))
def test_each_is_a_side_of_one_transfer_at_most_whatever_the_order(found: list[Movement], random: object) -> None:
    pairs, by_id = pair(found), {each.id: each for each in found}
    sides = [each for both in pairs for each in both]
    assert len(sides) == len(set(sides))
    for out, into in pairs:
        assert by_id[out].minor == -by_id[into].minor < 0
        assert by_id[out].account_id != by_id[into].account_id
    random.shuffle(found)  # type: ignore[attr-defined]
    assert set(pair(found)) == set(pairs)
