"""From consent to one history of two banks: the services together, over HTTP, on real databases."""

from __future__ import annotations

import uuid
from collections import Counter

from tests.workloads.platform import Platform
from workloads.chassis import clock
from workloads.services.bank_sandbox import ledger


def told_as_pending(bank: str) -> int:
    """How many entries a bank tells as pending today: on Tuesdays and Fridays nobody shops where it takes a day."""
    return sum(len(ledger.entries(each, clock.today())[1]) for each in ledger.dataset(bank).accounts.values())


def test_one_history_of_two_banks_sorted_and_without_duplicates_when_synchronised_twice(platform: Platform) -> None:
    person = f"anna-{uuid.uuid4()}"
    for bank in ("aurora", "borealis"):
        assert platform.connect(person, bank)["status"] == "valid"

    pending = Counter({bank: told for bank in ("aurora", "borealis") if (told := told_as_pending(bank))})
    first = platform.synchronise(person)
    platform.settle()
    history = platform.history(person, limit=37)

    assert first["failures"] == []
    assert {each["bank"] for each in history} == {"aurora", "borealis"}
    assert len(history) == sum(each["added"] for each in first["accounts"]) > 200
    dates = [each["date"] for each in history]
    assert dates == sorted(dates, reverse=True)
    assert len({each["id"] for each in history}) == len(history)
    assert {each["currency"] for each in history} == {"EUR", "SEK"}
    rides = Counter(each["booking_date"] for each in history if each["counterparty"] == "Västtrafik")
    assert set(rides.values()) == {2}, "two identical purchases of one day stay two"
    assert Counter(each["bank"] for each in history if each["status"] == "pending") == pending

    again = platform.synchronise(person)
    assert [each["added"] for each in again["accounts"]] == [0] * 5
    assert platform.history(person) == history
