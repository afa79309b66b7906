"""A person is registered once, by asking for the first time."""

from __future__ import annotations

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.workloads.platform import Platform
from tests.workloads.servers import Issuer
from workloads.chassis.settings import SettingsError
from workloads.services.user.domain import is_zone
from workloads.services.user.names import LONGEST, fault
from workloads.services.user.settings import UserServiceSettings


def test_whoever_asks_for_the_first_time_is_registered_once(platform: Platform, issuer: Issuer) -> None:
    assert platform.bus
    person = f"new-{uuid.uuid4()}"
    user = issuer.pseudonym(person)
    first = platform.call(person, "user", "GET", "/profile")
    changed = platform.call(person, "user", "PATCH", "/profile", json={"timezone": "Europe/Stockholm"})
    assert changed == first | {"timezone": "Europe/Stockholm"}
    platform.settle()
    told = [each.type for each in platform.bus.published if each.user == user]
    assert told == ["user.registered", "profile.changed", "profile.changed"]


def test_others_are_told_how_a_person_is_spoken_to_and_of_nothing_else_in_a_profile(
    platform: Platform, issuer: Issuer
) -> None:
    assert platform.bus
    person = f"spoken-{uuid.uuid4()}"
    for change in ({"language": "sv"}, {"language": "sv"}, {"currency": "SEK"}, {"timezone": "Europe/Stockholm"}):
        platform.call(person, "user", "PATCH", "/profile", json=change)
    platform.settle()
    user = issuer.pseudonym(person)
    told = [each.data for each in platform.bus.published if each.user == user and each.type == "profile.changed"]
    versions = [each.pop("version") for each in told]
    assert versions == sorted(set(versions))
    assert told == [
        {"language": "en", "timezone": "Europe/Berlin"},
        {"language": "sv", "timezone": "Europe/Berlin"},
        {"language": "sv", "timezone": "Europe/Stockholm"},
    ]


def test_what_is_no_time_zone_language_or_currency_is_refused(platform: Platform) -> None:
    assert is_zone("Europe/Berlin")
    assert not is_zone("Europe/Nowhere")
    for wrong in ({"timezone": "Mars/Olympus"}, {"language": "xx"}, {"currency": "euro"}, {"name": "Anna"}):
        platform.call("someone", "user", "PATCH", "/profile", 422, json=wrong)


def test_where_accounts_are_not_ours_there_is_no_name_and_none_is_changed(platform: Platform) -> None:
    person = f"elsewhere-{uuid.uuid4()}"
    assert platform.call(person, "user", "GET", "/profile/name") == {"name": None}
    refused = platform.call(person, "user", "PUT", "/profile/name", 409, json={"name": "Anna Berg"})
    assert refused["type"] == "/problems/no-directory"


@pytest.mark.parametrize(
    "name",
    [
        "Anna Berg",
        "Łukasz O'Neil-Żak",
        "李小龍",
        "محمد",
        "\u0646\u06cc\u0645\u0627\u200c\u06a9\u06cc\u0627",
        "X Æ A-12",
    ],
)
def test_names_of_people_are_taken_as_they_are_spelled(name: str) -> None:
    assert fault(name) is None


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("", "empty"),
        (" Anna", "space"),
        ("Anna\u2003", "space"),
        ("Anna\nBerg", "seen"),
        ("Anna\u202egreB", "seen"),
        ("Anna\u2066", "seen"),
        ("Anna\x00", "seen"),
        ("An\u200bna", "seen"),
        ("\ufeffAnna", "seen"),
        ("...", "no letter"),
        ("\U0001f600" * (LONGEST // 2) + "a", "longer"),
    ],
)
def test_what_is_no_name_or_looks_like_another_is_refused(name: str, wrong: str) -> None:
    assert wrong in str(fault(name))


@given(st.text(max_size=40), st.characters(categories=["Cc", "Cs", "Co", "Cn", "Zl", "Zp"]), st.text(max_size=40))
def test_no_name_with_an_unseen_character_is_taken(before: str, unseen: str, after: str) -> None:
    assert fault(f"a{before}{unseen}{after}a") is not None


@given(st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=LONGEST // 2))
def test_every_name_of_letters_is_taken(name: str) -> None:
    assert fault(name) is None


def test_the_directory_is_told_whole_or_not_at_all(user_settings: dict[str, str]) -> None:
    given = {name.upper(): each for name, each in user_settings.items()}
    given |= {"DATABASE_URL": "postgresql+psycopg://h/d", "DIRECTORY_URL": "https://graph.example"}
    with pytest.raises(SettingsError, match="DIRECTORY_CLIENT is missing"):
        UserServiceSettings.load(given)
