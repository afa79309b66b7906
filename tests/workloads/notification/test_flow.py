"""What happens is told once, in the person's own time."""

from __future__ import annotations

import datetime
import uuid
from typing import Any

import pytest
from sqlalchemy import update

from tests.workloads.platform import Platform
from tests.workloads.servers import Issuer, Postgres
from workloads.chassis import clock, facts
from workloads.chassis.database import Database
from workloads.chassis.events.envelope import Event
from workloads.chassis.tasks import Task

AWAKE = {"timezone": "UTC", "quiet_from": "00:00", "quiet_to": "00:00"}


@pytest.fixture
def person() -> str:
    return f"told-{uuid.uuid4()}"


def crossed(platform: Platform, user: uuid.UUID, period: str, percent: int = 80) -> Event:
    assert platform.bus
    data = {"budget_id": str(uuid.uuid4()), "month": "2026-11", "percent": percent, "period": period}
    event = Event.new("budget", "budget.threshold.crossed", user, data)
    platform.bus.publish([event])
    return event


def inbox(platform: Platform, person: str) -> list[dict[str, Any]]:
    platform.settle()
    return platform.call(person, "notification", "GET", "/notifications")["notifications"]


def sent(platform: Platform, user: uuid.UUID) -> int:
    assert platform.bus
    return sum(each.type == "notification.sent" and each.user == user for each in platform.bus.published)


def test_a_person_is_told_once_a_period_however_often_the_event_comes(
    platform: Platform, person: str, issuer: Issuer
) -> None:
    assert platform.bus
    user = issuer.pseudonym(person)
    platform.call(person, "notification", "PUT", "/preferences", json=AWAKE | {"language": "de"})
    event = crossed(platform, user, "one")
    platform.bus.publish([event, event])
    crossed(platform, user, "one")
    crossed(platform, user, "two", 100)
    told = inbox(platform, person)
    assert sorted(each["title"] for each in told) == ["Budget zu 100\xa0% verbraucht", "Budget zu 80\xa0% verbraucht"]
    assert sent(platform, user) == 2
    read = platform.call(person, "notification", "POST", f"/notifications/{told[0]['id']}/read")
    assert read["read"]
    left = platform.call(person, "notification", "GET", "/notifications", params={"unread": True})
    assert [each["id"] for each in left["notifications"]] == [told[1]["id"]]


def test_in_quiet_hours_it_waits_until_they_are_over(
    platform: Platform, person: str, issuer: Issuer, server: Postgres
) -> None:
    user, now = issuer.pseudonym(person), clock.now()
    quiet = {
        "timezone": "UTC", "quiet_from": f"{now - datetime.timedelta(hours=1):%H:%M}",
        "quiet_to": f"{now + datetime.timedelta(hours=2):%H:%M}",
    }  # fmt: skip
    platform.call(person, "notification", "PUT", "/preferences", json=quiet)
    crossed(platform, user, "one")
    assert inbox(platform, person) == []
    database = Database(server.url("platform_notification"))
    with database.session() as session:
        session.execute(update(Task).where(Task.subject == user).values(due=now))
    database.close()
    deadline = clock.now() + datetime.timedelta(seconds=20)
    while not inbox(platform, person):
        assert clock.now() < deadline, "not delivered after quiet hours"
    platform.settle()
    assert sent(platform, user) == 1


def test_what_is_muted_is_not_told(platform: Platform, person: str, issuer: Issuer) -> None:
    platform.call(person, "notification", "PUT", "/preferences", json=AWAKE | {"muted": ["budget-threshold"]})
    crossed(platform, issuer.pseudonym(person), "one")
    assert inbox(platform, person) == []


def fact(user: uuid.UUID, minor: int, days: int, category: str = "travel", currency: str = "EUR") -> dict[str, Any]:
    date = clock.today() - datetime.timedelta(days=days)
    return {"id": str(uuid.uuid4()), "version": 1, "account_id": str(user), "date": date.isoformat(),
            "minor": minor, "currency": currency, "status": "booked", "category": category, "party": "p"}  # fmt: skip


def test_spending_that_is_twice_the_usual_is_told(platform: Platform, person: str, issuer: Issuer) -> None:
    assert platform.bus
    user = issuer.pseudonym(person)
    platform.call(person, "notification", "PUT", "/preferences", json=AWAKE)
    told = [fact(user, -5_000, 10 + n) for n in range(14)] + [fact(user, -30_000, 1)]
    platform.bus.publish([Event.new("enrichment", facts.CATEGORISED, user, {"facts": told})])
    [one] = inbox(platform, person)
    assert one["text"] == "€300.00 for travel is more than you usually spend."


def test_what_is_small_in_its_currency_is_not_told_though_it_is_many_minor_units(
    platform: Platform, person: str, issuer: Issuer
) -> None:
    """A coffee of 1,700 HUF is 4 EUR; one of 60,000 HUF is 150."""
    assert platform.bus
    user = issuer.pseudonym(person)
    platform.call(person, "notification", "PUT", "/preferences", json=AWAKE)
    coffees = [fact(user, -80_000, 10 + n, "eating-out", "HUF") for n in range(14)]
    shopping = [fact(user, -800_000, 10 + n, "groceries", "HUF") for n in range(20)]
    odd = [fact(user, -170_000, 2, "eating-out", "HUF"), fact(user, -6_000_000, 1, "eating-out", "HUF")]
    platform.bus.publish([Event.new("enrichment", facts.CATEGORISED, user, {"facts": [*coffees, *shopping, *odd]})])
    [one] = inbox(platform, person)
    assert one["text"] == "HUF60,000.00 for eating out is more than you usually spend."


def test_an_unknown_time_zone_is_refused(platform: Platform, person: str) -> None:
    platform.call(person, "notification", "PUT", "/preferences", 422, json=AWAKE | {"timezone": "Europe/Nowhere"})
