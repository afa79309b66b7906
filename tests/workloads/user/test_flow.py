"""A person is registered once, by asking for the first time."""

from __future__ import annotations

import uuid

from tests.workloads.platform import Platform
from tests.workloads.servers import Issuer
from workloads.services.user.domain import is_zone


def test_whoever_asks_for_the_first_time_is_registered_once(platform: Platform, issuer: Issuer) -> None:
    assert platform.bus
    person = f"new-{uuid.uuid4()}"
    user = issuer.pseudonym(person)
    first = platform.call(person, "user", "GET", "/profile")
    changed = platform.call(person, "user", "PATCH", "/profile", json={"timezone": "Europe/Stockholm"})
    assert changed == first | {"timezone": "Europe/Stockholm"}
    platform.settle()
    told = [each.type for each in platform.bus.published if each.user == user]
    assert told == ["user.registered"]


def test_what_is_no_time_zone_language_or_currency_is_refused(platform: Platform) -> None:
    assert is_zone("Europe/Berlin")
    assert not is_zone("Europe/Nowhere")
    for wrong in ({"timezone": "Mars/Olympus"}, {"language": "xx"}, {"currency": "euro"}, {"name": "Anna"}):
        platform.call("someone", "user", "PATCH", "/profile", 422, json=wrong)
