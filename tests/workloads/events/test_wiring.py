"""What is deployed is what the code says: subscriptions take what handlers handle, and events have one publisher."""

from __future__ import annotations

import pytest

from stacks.services import SERVICES
from tests.workloads.platform import APPLICATIONS, SUBSCRIPTIONS
from workloads.chassis.erasure import REQUESTED
from workloads.chassis.events.catalogue import ERASURE_DONE, OWNER
from workloads.services.privacy.domain import HOLDERS


def test_what_is_deployed_is_what_the_tests_run() -> None:
    assert {each.name for each in SERVICES} <= set(APPLICATIONS)


@pytest.mark.parametrize("service", SERVICES, ids=lambda each: each.name)
def test_a_subscription_takes_what_its_service_handles(service: object) -> None:
    row = next(each for each in SERVICES if each is service)
    assert set(row.handles) == set(SUBSCRIPTIONS.get(row.name, ()))


def test_everyone_who_handles_an_erasure_is_waited_for() -> None:
    handle = {name for name, types in SUBSCRIPTIONS.items() if REQUESTED in types}
    assert handle - {"audit"} == HOLDERS, "the audit trail only writes it down"
    assert {each.name for each in SERVICES if each.erases} == HOLDERS, "they hold back what a backup brings"


def test_every_event_that_is_handled_is_one_that_somebody_publishes() -> None:
    assert {each for types in SUBSCRIPTIONS.values() for each in types} <= set(OWNER) | {ERASURE_DONE}
