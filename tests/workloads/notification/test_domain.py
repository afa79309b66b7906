"""Quiet hours in the person's own time, and what spending is unusual."""

from __future__ import annotations

import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import ValidationError

from workloads.services.notification.domain import QuietHours, notable, unusual
from workloads.services.notification.forms import Preferences

BERLIN = ZoneInfo("Europe/Berlin")
NIGHT = QuietHours(datetime.time(22), datetime.time(7), BERLIN)
TIMES = st.times().map(lambda each: each.replace(second=0, microsecond=0, fold=0))


def at(text: str) -> datetime.datetime:
    return datetime.datetime.fromisoformat(text).replace(tzinfo=BERLIN).astimezone(datetime.UTC)


@pytest.mark.parametrize(
    ("now", "until"),
    [
        ("2026-11-26 21:59", None),
        ("2026-11-26 22:00", "2026-11-27 07:00"),
        ("2026-11-27 06:59", "2026-11-27 07:00"),
        ("2026-11-27 07:00", None),
        ("2026-10-24 23:00", "2026-10-25 07:00"),  # the clocks go back that night
        ("2026-03-28 23:00", "2026-03-29 07:00"),  # and forward
    ],
)
def test_quiet_hours_go_over_midnight_and_changes_of_the_clock(now: str, until: str | None) -> None:
    assert NIGHT.until(at(now)) == (at(until) if until else None)


@given(TIMES, TIMES, st.datetimes(datetime.datetime(2026, 1, 1), datetime.datetime(2027, 1, 1)))
def test_quiet_hours_end_within_a_day_and_when_they_end_they_are_over(
    start: datetime.time, end: datetime.time, naive: datetime.datetime
) -> None:
    quiet, now = QuietHours(start, end, ZoneInfo("UTC")), naive.replace(tzinfo=datetime.UTC)
    until = quiet.until(now)
    if until:
        assert now < until <= now + datetime.timedelta(days=1)
        assert quiet.until(until) is None


@given(
    TIMES, TIMES, st.datetimes(datetime.datetime(2026, 1, 1), datetime.datetime(2027, 1, 1)),
    st.sampled_from(["Europe/Berlin", "Europe/London", "Australia/Lord_Howe", "America/St_Johns"]),
)  # fmt: skip
@example(datetime.time(22), datetime.time(2, 30), datetime.datetime(2026, 10, 25, 1, 10), "Europe/Berlin")
def test_quiet_hours_end_later_though_clocks_go_back_or_forward(
    start: datetime.time, end: datetime.time, naive: datetime.datetime, zone: str
) -> None:
    now = naive.replace(tzinfo=datetime.UTC)
    until = QuietHours(start, end, ZoneInfo(zone)).until(now)
    assert until is None or now < until <= now + datetime.timedelta(hours=25)


def test_unusual_is_twice_the_largest() -> None:
    usual = [-4_000] * 12
    assert unusual(-8_000, usual)
    assert not unusual(-7_999, usual)
    assert not unusual(-90_000, usual[:11]), "too little is known"
    assert not unusual(90_000, usual)


def test_an_amount_is_small_or_not_against_what_the_person_spends_at_a_time() -> None:
    spent = [-300] * 40 + [-2_000] * 50 + [-90_000] * 10
    assert notable(-6_000, spent)
    assert not notable(-5_999, spent)
    assert not notable(6_000, spent)
    assert not notable(-6_000, []), "nothing is known"


@given(
    st.integers(-10**6, -1), st.lists(st.integers(-10**6, -1), min_size=1, max_size=30),
    st.sampled_from([10, 100, 390_00]),
)  # fmt: skip
def test_what_is_small_does_not_depend_on_what_a_currency_is_worth_or_on_its_digits(
    minor: int, spent: list[int], times: int
) -> None:
    assert notable(minor * times, [each * times for each in spent]) == notable(minor, spent)


@pytest.mark.parametrize("time", ["0٢:00", "24:00", "7:00", "07:60", "07:00\n"])
def test_quiet_hours_that_are_no_times_are_refused(time: str) -> None:
    with pytest.raises(ValidationError):
        Preferences(timezone="Europe/Berlin", quiet_to=time)
