"""A person is spoken to as their profile says, where they said nothing of their own here."""

from __future__ import annotations

import datetime
import uuid
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.workloads.platform import Platform
from tests.workloads.servers import Issuer
from workloads.chassis.events.consumer import Handling, Unprocessable
from workloads.chassis.events.envelope import Event
from workloads.services.notification import store
from workloads.services.notification.handlers import HANDLERS

QUIET = {"quiet_from": "22:00", "quiet_to": "07:00"}


def told(platform: Platform, user: uuid.UUID, **data: Any) -> None:
    state = platform.states["notification"]
    event = Event.new("user", "profile.changed", user, data)
    HANDLERS[event.type](Handling(event, state.database, state))


def wishes(platform: Platform, user: uuid.UUID) -> tuple[str, str]:
    with platform.states["notification"].database.session(user) as session:
        found = store.wishes(session, user)
        return found.language, found.quiet.zone.key


def said(platform: Platform, user: uuid.UUID, **values: Any) -> None:
    with platform.states["notification"].database.session(user) as session:
        store.keep_preference(session, user, {"timezone": None, "language": None, "muted": "", **QUIET, **values})


def test_language_and_quiet_hours_follow_the_profile_and_what_is_said_here_goes_before_it(platform: Platform) -> None:
    user = uuid.uuid4()
    assert wishes(platform, user) == ("en", "Europe/Berlin")
    told(platform, user, version=1, language="sv", timezone="Europe/Helsinki")
    assert wishes(platform, user) == ("sv", "Europe/Helsinki")
    said(platform, user, language="fr")
    assert wishes(platform, user) == ("fr", "Europe/Helsinki")
    said(platform, user, timezone="Asia/Tokyo")
    assert wishes(platform, user) == ("sv", "Asia/Tokyo")


def test_a_change_of_the_profile_reaches_the_inbox(platform: Platform, issuer: Issuer) -> None:
    person = f"followed-{uuid.uuid4()}"
    user = issuer.pseudonym(person)
    now = datetime.datetime.now(ZoneInfo("UTC"))
    noon = next(
        each for each in ("Pacific/Auckland", "Europe/Helsinki", "America/New_York", "Pacific/Honolulu")
        if 8 <= now.astimezone(ZoneInfo(each)).hour < 21
    )  # fmt: skip
    platform.call(person, "user", "PATCH", "/profile", json={"language": "fr", "timezone": noon})
    platform.settle()
    assert wishes(platform, user) == ("fr", noon)
    assert platform.bus
    about = {"ticket_id": str(uuid.uuid4()), "message_id": str(uuid.uuid4())}
    platform.bus.publish([Event.new("help", "ticket.answered", user, about)])
    platform.settle()
    [shown] = platform.call(person, "notification", "GET", "/notifications")["notifications"]
    assert shown["title"] == "Votre question a reçu une réponse"


VERSIONS = {1: ("de", "Europe/Berlin"), 2: ("sv", "Europe/Stockholm"), 3: ("fr", "Europe/Paris")}


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from(sorted(VERSIONS)), min_size=1, max_size=6))
def test_in_whatever_order_and_however_often_profiles_come_the_newest_stays(
    platform: Platform, order: list[int]
) -> None:
    user = uuid.uuid4()
    for version in order:
        language, zone = VERSIONS[version]
        told(platform, user, version=version, language=language, timezone=zone)
    assert wishes(platform, user) == VERSIONS[max(order)]


@pytest.mark.parametrize("wrong", [{"version": 0}, {"language": "english"}, {"timezone": "Mars/Olympus"}])
def test_a_profile_that_is_none_is_refused(platform: Platform, wrong: dict[str, Any]) -> None:
    right = {"version": 1, "language": "de", "timezone": "Europe/Berlin"}
    with pytest.raises(Unprocessable):
        told(platform, uuid.uuid4(), **right | wrong)
