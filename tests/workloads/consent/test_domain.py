"""The life of a consent, and the law's limits to it."""

from __future__ import annotations

import datetime

import pytest

from workloads.services.consent import domain

START = datetime.datetime(2026, 1, 1, 12, tzinfo=datetime.UTC)


@pytest.mark.parametrize(
    ("law", "days", "status"),
    [("EU", 179, "valid"), ("EU", 180, "expired"), ("EU", 181, "expired"), ("UK", 89, "valid"), ("UK", 90, "expired")],
)
def test_a_valid_consent_ends_when_the_laws_time_is_over(law: domain.Jurisdiction, days: int, status: str) -> None:
    now = START + datetime.timedelta(days=days)
    assert domain.today_status("valid", START, law, now) == status
    assert domain.today_status("received", None, law, now) == "received"


@pytest.mark.parametrize("final", sorted(domain.FINAL))
@pytest.mark.parametrize("told", domain.STATUSES)
def test_a_final_status_stays_whatever_the_bank_says(final: str, told: str) -> None:
    assert domain.advance(final, told) == final


@pytest.mark.parametrize("told", domain.STATUSES)
def test_a_new_consent_takes_what_the_bank_says(told: str) -> None:
    assert domain.advance("received", told) == told


def test_a_valid_consent_does_not_go_back() -> None:
    assert domain.advance("valid", "received") == "valid"


def test_an_unknown_status_is_refused() -> None:
    with pytest.raises(ValueError, match="no consent status"):
        domain.advance("received", "VALID")


def test_the_return_address_keeps_its_own_query() -> None:
    address = domain.return_address("https://app.example/r?a=1", "c", declined=True)
    assert address == "https://app.example/r?a=1&consent=c&outcome=declined"


@pytest.mark.parametrize(
    ("until", "days"),
    [(None, 180), ("2026-03-31", 90), ("2026-06-29", 179.5), ("2099-12-31", 180), ("2025-12-31", 180)],
)
def test_a_bank_may_end_a_consent_before_the_law_does(until: str | None, days: float) -> None:
    last = datetime.date.fromisoformat(until) if until else None
    expected = START + datetime.timedelta(days=days)
    if until and days < 180:
        expected = datetime.datetime.combine(expected.date(), datetime.time(), datetime.UTC)
        assert domain.today_status("valid", START, "EU", expected, last) == "expired"
        assert domain.today_status("valid", START, "EU", expected - datetime.timedelta(seconds=1), last) == "valid"
    assert domain.act_by(START, "EU", last) == expected
