"""The projection: what is certain comes out certain, and what is not lies where it was said to lie."""

from __future__ import annotations

import datetime
import random
import uuid

from hypothesis import given, settings
from hypothesis import strategies as st

from workloads.services.forecast import store
from workloads.services.forecast.domain import PAST, Expected, Flow, Payment, daily, project, sorted_out

TODAY = datetime.date(2026, 11, 10)


def test_without_anything_else_the_balance_moves_by_what_recurs() -> None:
    rent = [Flow(datetime.date(2026, month, 1), -89000) for month in (12,)]
    salary = [Flow(datetime.date(2026, month, 27), 295000) for month in (11, 12)]
    this, following = project(100_000, [], [*rent, *salary], TODAY, 2, 1)
    assert (this.low, this.middle, this.high, this.recurring, this.usual) == (395_000, 395_000, 395_000, 295_000, 0)
    assert (following.start, following.middle) == (395_000, 395_000 - 89_000 + 295_000)
    assert this.below_zero == 0


def test_a_day_at_which_the_money_runs_out_is_seen_although_the_month_ends_well() -> None:
    [month] = project(
        10_000, [], [Flow(datetime.date(2026, 11, 15), -20_000), Flow(datetime.date(2026, 11, 28), 90_000)], TODAY, 1, 1
    )
    assert month.middle == 80_000
    assert month.below_zero == 100


@given(st.lists(st.integers(-5_000, 2_000), min_size=14, max_size=60), st.integers(-(10**6), 10**6))
@settings(max_examples=15, deadline=None)
def test_low_middle_and_high_are_in_order_and_the_same_seed_gives_the_same(past: list[int], balance: int) -> None:
    first = project(balance, past, [], TODAY, 3, 7)
    assert first == project(balance, past, [], TODAY, 3, 7)
    for each in first:
        assert each.low <= each.middle <= each.high
        assert each.middle == each.start + each.recurring + each.usual
    assert first[-1].high - first[-1].low >= 0


def test_eight_of_ten_months_end_between_low_and_high() -> None:
    """Calibration, on 120 people whose days are drawn from the same kinds of weeks before and after today."""
    inside, people = 0, 120
    for n in range(people):
        draw = random.Random(n)

        def days(count: int, draw: random.Random = draw) -> list[int]:
            return [-draw.randrange(0, 6000) if draw.random() < 0.6 else 0 for _ in range(count)]

        past, actual = days(182), 500_000 + sum(days(20))
        [month] = project(500_000, past, [], TODAY, 1, n)
        inside += month.low <= actual <= month.high
    assert 0.70 <= inside / people <= 0.90, f"{inside} of {people}"


@given(st.lists(st.tuples(st.integers(-400, 3), st.integers(-100, 100)), max_size=30))
def test_the_past_is_whole_weeks_of_at_most_six_months_before_today(found: list[tuple[int, int]]) -> None:
    flows = [Flow(TODAY + datetime.timedelta(days=day), minor) for day, minor in found]
    sums = daily(flows, TODAY)
    assert len(sums) % 7 == 0
    assert len(sums) <= PAST.days
    first = TODAY - datetime.timedelta(days=len(sums))
    assert sum(sums) == sum(each.minor for each in flows if first <= each.date < TODAY)


@given(st.integers(0, 6), st.integers(0, 6))
def test_what_is_spent_on_one_weekday_is_expected_on_that_weekday(weekday: int, shift: int) -> None:
    today = TODAY + datetime.timedelta(days=shift)
    past = [today - datetime.timedelta(days=n) for n in range(1, 60)]
    sums = daily([Flow(each, -700 if each.weekday() == weekday else 0) for each in past], today)
    months = project(100_000, sums, [], today, 3, 1)
    to_come = [today + datetime.timedelta(days=n + 1) for n in range(100)]
    for each in months:
        days = [day for day in to_come if day.weekday() == weekday and day < _after(each.month)]
        assert each.low == each.middle == each.high == 100_000 - 700 * len(days)


def _after(month: datetime.date) -> datetime.date:
    return (month + datetime.timedelta(days=32)).replace(day=1)


def test_an_account_in_several_currencies_has_a_balance_in_each() -> None:
    told = [("closingBooked", 100, "EUR"), ("interimBooked", 90, "EUR"), ("closingBooked", 700, "SEK")]
    balances = [{"kind": kind, "minor": minor, "currency": currency} for kind, minor, currency in told]
    one = {"connected": True, "balances": balances}
    assert store.balances([one, one | {"connected": False}]) == {"EUR": 90, "SEK": 700}


HERE, ELSEWHERE = uuid.UUID(int=1), uuid.UUID(int=2)


def paid(days_ago: int, minor: int, party: str, account: uuid.UUID = HERE) -> Payment:
    return Payment(TODAY - datetime.timedelta(days=days_ago), minor, party, account)


def coming(minor: int, party: str, spread: int = 0, days: int = 5) -> Expected:
    return Expected(TODAY + datetime.timedelta(days=days), minor, spread, party)


def test_what_a_shop_sells_beside_its_subscription_is_still_spent() -> None:
    subscription = [paid(30 * n, -899, "shop") for n in range(1, 6)]
    others = [paid(3, -6_400, "shop"), paid(40, -12_000, "shop"), paid(9, 2_500, "shop")]
    usual, expected = sorted_out([*subscription, *others], [coming(-899, "shop")], {HERE})
    assert sorted(each.minor for each in usual) == [-12_000, -6_400, 2_500]
    assert [each.minor for each in expected] == [-899]


def test_what_recurred_at_an_earlier_price_is_not_counted_beside_it() -> None:
    rent = [paid(120, -89_000, "rent"), paid(90, -89_000, "rent"), paid(60, -105_000, "rent")]
    assert sorted_out(rent, [coming(-105_000, "rent")], {HERE})[0] == []
    varying = [paid(60, -300, "power"), paid(30, -1_700, "power")]
    assert sorted_out(varying, [coming(-1_000, "power", spread=700)], {HERE})[0] == []


def test_an_account_that_is_not_connected_neither_spends_nor_pays_in_the_months_to_come() -> None:
    payments = [paid(3, -500, "bakery"), paid(3, -700, "bakery", ELSEWHERE),
                *(paid(30 * n, -4_000, "gym", ELSEWHERE) for n in (1, 2)),
                paid(70, -1_300, "radio", ELSEWHERE), paid(10, -1_300, "radio")]  # fmt: skip
    series = [coming(-4_000, "gym"), coming(-1_300, "radio", days=20), coming(-9_900, "never seen here", days=7)]
    usual, expected = sorted_out(payments, series, {HERE})
    assert [each.minor for each in usual] == [-500]
    assert sorted(each.minor for each in expected) == [-9_900, -1_300]
