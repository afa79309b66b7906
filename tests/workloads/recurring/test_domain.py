"""Series are found in what recurs, whatever moves it by a day or a cent, and not in what does not."""

from __future__ import annotations

import datetime
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workloads.services.recurring.domain import Every, Occurrence, after, coming, expected, find

START = datetime.date(2026, 1, 1)


def made(*found: tuple[datetime.date, int]) -> list[Occurrence]:
    return [Occurrence(uuid.UUID(int=n), date, minor) for n, (date, minor) in enumerate(found)]


def monthly(day: int, months: int, minor: int = -89000) -> list[Occurrence]:
    dates = expected("month", datetime.date(2026, 1, day), day, datetime.date(2026, months, 28))
    return made(*((date, minor) for date in dates))


@pytest.mark.parametrize(
    ("every", "days"), [("week", 7), ("fortnight", 14), ("month", 30), ("quarter", 91), ("year", 365)]
)
def test_each_rhythm_is_recognised(every: Every, days: int) -> None:
    [series] = find(made(*((START + datetime.timedelta(days=n * days), -999) for n in range(4))))
    assert (series.every, series.minor, series.count, series.spread) == (every, -999, 4, 0)
    assert series.next > series.last


@given(
    st.sampled_from([("week", 7), ("fortnight", 14), ("month", 30)]),
    st.lists(st.tuples(st.integers(-1, 1), st.integers(-8, 8)), min_size=4, max_size=9),
    st.randoms(use_true_random=False),
)
def test_weekends_and_varying_amounts_do_not_hide_a_series_nor_does_the_order(
    rhythm: tuple[Every, int], moved: list[tuple[int, int]], random: object
) -> None:
    every, days = rhythm
    shift = 0 if every == "week" else 1
    made_ = made(
        *((START + datetime.timedelta(days=n * days + a * shift), -1000 + b) for n, (a, b) in enumerate(moved))
    )
    [series] = find(made_)
    assert series.every == every
    random.shuffle(made_)  # type: ignore[attr-defined]
    assert find(made_) == [series]


@given(st.lists(st.tuples(st.dates(START, datetime.date(2027, 1, 1)), st.integers(-10_000, 10_000)), max_size=30))
def test_anything_may_be_asked_and_what_is_found_lies_in_it(found: list[tuple[datetime.date, int]]) -> None:
    occurrences = made(*found)
    for series in find(occurrences):
        assert series.first <= series.last < series.next
        assert 2 <= series.count <= len(occurrences)
        assert any(each.id == series.transaction_id for each in occurrences)


def test_the_bakery_of_every_other_morning_is_no_series() -> None:
    days = [0, 2, 3, 6, 7, 9, 10, 13, 14, 16]
    assert find(made(*((START + datetime.timedelta(days=n), -480) for n in days))) == []
    assert find(monthly(5, 2)) == [], "twice is not yet a series"


def test_a_months_end_stays_one() -> None:
    [series] = find(monthly(31, 5))
    assert series.day == 31
    assert [d.day for d in expected("month", series.next, 31, datetime.date(2026, 9, 30))][-2:] == [31, 30]
    assert after("month", datetime.date(2026, 1, 31), 31) == datetime.date(2026, 2, 28)
    assert after("month", datetime.date(2026, 2, 28), 31) == datetime.date(2026, 3, 31)
    assert after("month", datetime.date(2026, 12, 1), 31) == datetime.date(2026, 12, 31), "it slipped over the end"


def test_one_party_may_have_a_series_among_other_purchases() -> None:
    subscription = monthly(20, 6, -1299)
    others = [
        Occurrence(uuid.uuid4(), START + datetime.timedelta(days=n * 13 + n % 5), -2000 - 900 * n) for n in range(6)
    ]
    [series] = find([*subscription, *others])
    assert (series.every, series.minor, series.count) == ("month", -1299, 6)


def test_what_comes_in_and_what_goes_out_are_two_series() -> None:
    salary, fee = monthly(27, 6, 295000), [Occurrence(uuid.uuid4(), o.date, -500) for o in monthly(27, 6)]
    assert sorted(each.minor for each in find([*salary, *fee])) == [-500, 295000]


def test_a_price_that_was_raised_is_the_price_to_come() -> None:
    rent = [*monthly(1, 10), *(Occurrence(uuid.uuid4(), datetime.date(2026, month, 1), -95000) for month in (11, 12))]
    [series] = find(rent)
    assert (series.minor, series.spread, series.count) == (-95000, 6000, 12)
    once = find([*monthly(1, 10), Occurrence(uuid.uuid4(), datetime.date(2026, 11, 1), -95000)])
    assert [each.minor for each in once] == [-89000], "once may be anything"


def test_a_series_of_long_ago_is_not_expected_all_at_once_today() -> None:
    today, until = datetime.date(2026, 11, 26), datetime.date(2026, 12, 31)
    assert coming("month", datetime.date(2024, 3, 1), 1, today, until) == [datetime.date(2026, 12, 1)]
    assert coming("month", datetime.date(2026, 11, 24), 24, today, until) == [today, datetime.date(2026, 12, 24)]
