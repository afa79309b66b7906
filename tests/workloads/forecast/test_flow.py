"""A forecast is made soon after accounts were read, from balances, series and the past."""

from __future__ import annotations

import time
import uuid
from typing import Any

from tests.workloads.platform import Platform


def forecast(platform: Platform, person: str) -> list[dict[str, Any]]:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        found = platform.call(person, "forecast", "GET", "/forecast", params={"months": 3})["currencies"]
        if found:
            return found
        time.sleep(0.2)
    raise AssertionError("no forecast within 30 s")


def test_the_coming_months_are_projected_by_currency(platform: Platform) -> None:
    person = f"forecast-{uuid.uuid4()}"
    platform.connect(person, "aurora")
    platform.synchronise(person)
    platform.settle()
    platform.call(person, "forecast", "POST", "/forecast", 202)
    [euro] = forecast(platform, person)
    assert euro["currency"] == "EUR"
    assert len(euro["months"]) == 3
    full = euro["months"][1]
    assert full["recurring"] > 150_000, "salary less rent and subscriptions"
    assert full["usual"] < 0, "groceries and bakeries"
    assert full["low"] <= full["middle"] <= full["high"]
    widths = [each["high"] - each["low"] for each in euro["months"]]
    assert widths[2] > widths[0], "further away is less certain"


def test_without_accounts_there_is_none(platform: Platform) -> None:
    assert platform.call(f"nobody-{uuid.uuid4()}", "forecast", "GET", "/forecast") == {"currencies": []}
