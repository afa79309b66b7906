"""A budget over a real history: what was spent, what comes, and one alert a threshold and month."""

from __future__ import annotations

import datetime
import uuid

import pytest

from tests.workloads.platform import Platform
from tests.workloads.servers import Issuer

THIS = f"{datetime.datetime.now(datetime.UTC):%Y-%m}"
FOOD = {"name": "Food", "categories": ["groceries", "eating-out"], "currency": "EUR", "limit": 1, "start": "2026-09",
        "rollover": "none"}  # fmt: skip


@pytest.fixture(scope="module")
def person() -> str:
    return f"budget-{uuid.uuid4()}"


def test_a_budget_shows_what_was_spent_each_month_and_what_the_coming_ones_have(
    platform: Platform, person: str
) -> None:
    platform.connect(person, "aurora")
    platform.synchronise(person)
    platform.settle()
    made = platform.call(person, "budget", "POST", "/budgets", 201, json=FOOD)
    months = platform.call(person, "budget", "GET", f"/budgets/{made['id']}/months")["months"]
    assert [each["month"] for each in months[:3]] == ["2026-09", "2026-10", "2026-11"]
    assert months[-1]["month"] > THIS, "months to come are there too"
    spent = {each["month"]: each["spent"] for each in months}
    history = [each for each in platform.history(person) if each["category"] in FOOD["categories"]]
    for month in ("2026-10", THIS):
        assert spent[month] == -sum(each["minor"] for each in history if each["date"].startswith(month)) > 0
    assert made["now"]["spent"] == spent[THIS]
    assert spent[months[-1]["month"]] == 0


def test_a_threshold_is_told_once_a_month_however_often_it_is_looked_at(
    platform: Platform, person: str, issuer: Issuer
) -> None:
    [budget] = platform.call(person, "budget", "GET", "/budgets")["budgets"]
    for limit in (1, 2):
        platform.call(person, "budget", "PUT", f"/budgets/{budget['id']}", json=FOOD | {"limit": limit})
    first = platform.history(person, category="groceries")[0]
    platform.call(person, "enrichment", "PUT", f"/assignments/{first['id']}", json={"category": "eating-out"})
    platform.settle()
    assert platform.bus
    told = [
        (each.data["percent"], each.data["month"])
        for each in platform.bus.published
        if each.type == "budget.threshold.crossed" and each.user == issuer.pseudonym(person)
    ]
    assert told == [(80, THIS), (100, THIS)]


def test_one_month_may_have_another_limit(platform: Platform, person: str) -> None:
    [budget] = platform.call(person, "budget", "GET", "/budgets")["budgets"]
    path = f"/budgets/{budget['id']}/months/{THIS}"
    [month] = platform.call(person, "budget", "PUT", path, json={"limit": 777})["months"]
    assert (month["month"], month["limit"]) == (THIS, 777)
    platform.call(person, "budget", "PUT", path.replace(THIS, "2099-12"), json={"limit": 5})
    told = platform.call(person, "budget", "GET", f"/budgets/{budget['id']}")["limits"]
    assert told == [{"month": THIS, "limit": 777}, {"month": "2099-12", "limit": 5}], "however far it is to come"
    [month] = platform.call(person, "budget", "PUT", path, json={"limit": None})["months"]
    assert month["limit"] == budget["limit"]
    platform.call(person, "budget", "DELETE", f"/budgets/{budget['id']}", 204)
    assert platform.call(person, "budget", "GET", "/budgets") == {"budgets": []}


@pytest.mark.parametrize(
    "wrong", [{"limit": -1}, {"categories": []}, {"start": "2026-13"}, {"currency": "eur"}, {"thresholds": [0]}]
)
def test_a_plan_that_makes_no_sense_is_refused(platform: Platform, person: str, wrong: dict[str, object]) -> None:
    platform.call(person, "budget", "POST", "/budgets", 422, json=FOOD | wrong)
