"""Who handles an event has a subscription that takes it and no other; nobody else has one."""

from __future__ import annotations

from stacks.services import Service
from stacks.topics import EVENTS, topics


def test_a_service_that_handles_events_has_a_subscription_of_those_types_alone() -> None:
    services = (
        Service(name="budget", package="budget", handles=("b.changed", "a.changed")),
        Service(name="account", package="account", publishes=True),
    )
    subscriptions = topics(services)[EVENTS].subscriptions
    assert set(subscriptions) == {"budget"}
    assert [each.sql for each in subscriptions["budget"].filters.values()] == ["type IN ('a.changed', 'b.changed')"]


def test_a_quote_in_a_type_ends_no_text_of_the_filter() -> None:
    (filters,) = (
        each.filters
        for each in topics((Service(name="a", package="a", handles=("it's",)),))[EVENTS].subscriptions.values()
    )
    assert filters["handled"].sql == "type IN ('it''s')"
