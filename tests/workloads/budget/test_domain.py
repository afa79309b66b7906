"""Envelopes: what rolls over, what was crossed, and that nothing gets lost between two months."""

from __future__ import annotations

import datetime
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from workloads.services.budget.domain import Envelope, Plan, Rollover, envelopes, next_month
from workloads.services.budget.forms import BudgetRequest, EnvelopeView, first_day

START = datetime.date(2026, 1, 1)
MONTHS = [START]
while len(MONTHS) < 12:
    MONTHS.append(next_month(MONTHS[-1]))
SPENT = st.dictionaries(st.sampled_from(MONTHS), st.integers(-50_000, 90_000))
ROLLOVERS = st.sampled_from(["none", "unspent", "both"])


def left(rollover: Rollover, *spent: int) -> list[int]:
    plan = Plan(START, 10_000, rollover)
    return [each.left for each in envelopes(plan, dict(zip(MONTHS, spent, strict=False)), MONTHS[len(spent) - 1])]


def test_what_is_left_rolls_over_and_debt_only_when_the_plan_says_so() -> None:
    assert left("none", 4_000, 13_000, 0) == [6_000, -3_000, 10_000]
    assert left("unspent", 4_000, 18_000, 0) == [6_000, -2_000, 10_000]
    assert left("both", 4_000, 18_000, 0) == [6_000, -2_000, 8_000]


@given(SPENT, st.integers(0, 50_000))
def test_where_both_roll_over_nothing_is_lost_over_a_year(spent: dict[datetime.date, int], limit: int) -> None:
    *_, last = envelopes(Plan(START, limit, "both"), spent, MONTHS[-1])
    assert last.left == 12 * limit - sum(spent.values())


@given(SPENT, ROLLOVERS, st.dictionaries(st.sampled_from(MONTHS), st.integers(0, 90_000)))
def test_a_month_follows_from_the_one_before(
    spent: dict[datetime.date, int], rollover: Rollover, limits: dict[datetime.date, int]
) -> None:
    found = list(envelopes(Plan(START, 20_000, rollover, limits), spent, MONTHS[-1]))
    assert [each.month for each in found] == MONTHS
    assert found[0].carried == 0
    for before, each in itertools.pairwise(found):
        assert each.limit == limits.get(each.month, 20_000)
        assert each.carried == {"none": 0, "unspent": max(0, before.left), "both": before.left}[rollover]


def test_a_threshold_is_crossed_when_it_is_reached() -> None:
    def crossed(spent: int, limit: int = 10_000) -> list[int]:
        return Envelope(START, limit, 0, spent).crossed([100, 80])

    assert [crossed(each) for each in (7_999, 8_000, 10_000, 99_999)] == [[], [80], [80, 100], [80, 100]]
    assert crossed(0, 0) == []
    assert crossed(1, 0) == [80, 100], "where nothing may be spent, anything is too much"
    assert Envelope(START, 0, -5, 0).percent == 0


@given(st.integers(-10, 10**6), st.integers(-10, 10**6))
def test_percent_and_thresholds_agree(spent: int, limit: int) -> None:
    envelope = Envelope(START, limit, 0, spent)
    assert (100 in envelope.crossed([100])) == (envelope.percent >= 100)


def request(**other: object) -> BudgetRequest:
    told = {"name": "Food", "categories": ["groceries"], "currency": "JPY", "limit": 1, "start": "2000-01"}
    return BudgetRequest.model_validate(told | other)


def test_the_largest_plan_of_the_earliest_month_can_be_shown_as_far_as_it_may_be_asked_for() -> None:
    limit = next(each.le for each in BudgetRequest.model_fields["limit"].metadata if hasattr(each, "le"))
    asked = request(limit=limit)
    plan = Plan(first_day(asked.start), asked.limit, "unspent")
    *_, last = envelopes(plan, {}, datetime.date(2050, 12, 1))
    assert EnvelopeView.of(last, asked.currency).left_decimal == str(limit * 51 * 12)


@pytest.mark.parametrize("month", ["20٢٣-01", "2026-1", "2026-13", "1999-12", "2026-01\n"])
def test_what_is_no_month_is_refused(month: str) -> None:
    with pytest.raises(ValidationError):
        request(start=month)
