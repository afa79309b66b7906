"""A bank that was just connected is read at once, as the person who connected it asks; without that person, soon."""

from __future__ import annotations

import datetime
import time
import uuid
from collections.abc import Iterator

import pytest
from sqlalchemy import select

from tests.workloads.platform import Platform
from tests.workloads.servers import Issuer
from workloads.chassis import clock
from workloads.chassis.calls import ServiceClient
from workloads.chassis.tasks import Task
from workloads.services.sync import runs

HOUR = datetime.timedelta(hours=1)


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "SOON", HOUR)


@pytest.fixture
def reads_at_once(platform: Platform) -> Iterator[None]:
    """As it is deployed: the consent service knows where the sync service is."""
    state = platform.states["consent"]
    state.sync = ServiceClient("sync", platform.urls["sync"], state.tls)
    yield
    state.sync.close()
    state.sync = None


def due(platform: Platform, user: uuid.UUID) -> datetime.timedelta:
    with platform.states["sync"].database.session() as session:
        return session.scalars(select(Task.due).where(Task.subject == user)).one() - clock.now()


@pytest.mark.usefixtures("reads_at_once")
def test_whoever_comes_back_from_the_bank_finds_the_history_and_has_every_unattended_read_left(
    platform: Platform, issuer: Issuer
) -> None:
    person = f"back-{uuid.uuid4()}"
    platform.connect(person, "aurora")
    [run] = platform.until_read(person, 1)
    assert run["failures"] == []
    assert len(platform.history(person)) == run["added"] > 200
    accounts = platform.call(person, "account", "GET", "/accounts")["accounts"]
    assert {platform.call(person, "sync", "GET", f"/quotas/{each['id']}")["left"] for each in accounts} == {4}
    platform.settle()
    deadline = time.monotonic() + 60
    while due(platform, issuer.pseudonym(person)) < 2 * HOUR:  # planned after the run has told its end
        assert time.monotonic() < deadline, "the next read is no regular one after 60 s"
        time.sleep(0.05)


@pytest.mark.usefixtures("reads_at_once")
def test_banks_that_are_connected_one_after_the_other_are_read_side_by_side_and_nothing_is_doubled(
    platform: Platform,
) -> None:
    person = f"both-{uuid.uuid4()}"
    for bank in ("aurora", "borealis"):
        platform.connect(person, bank)
    read = platform.until_read(person, 2)
    assert [each["failures"] for each in read] == [[], []]
    platform.settle()
    before = platform.ledger(person)
    assert len(before) == sum(each["added"] for each in read)
    assert {each["added"] for each in platform.synchronise(person)["accounts"]} == {0}
    assert platform.ledger(person) == before


def test_without_the_person_it_is_read_soon(platform: Platform, issuer: Issuer) -> None:
    person = f"away-{uuid.uuid4()}"
    platform.connect(person, "aurora")
    platform.settle()
    assert due(platform, issuer.pseudonym(person)) < HOUR


@pytest.mark.usefixtures("reads_at_once")
def test_a_run_that_brings_nothing_is_made_up_for_soon(
    platform: Platform, issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = f"fails-{uuid.uuid4()}"
    nowhere = ServiceClient("transaction", "http://127.0.0.1:9", platform.states["sync"].tls)
    monkeypatch.setattr(platform.states["sync"], "transaction", nowhere)
    platform.connect(person, "aurora")
    platform.settle()
    assert due(platform, issuer.pseudonym(person)) < HOUR
    assert [each["ended"] for each in platform.call(person, "sync", "GET", "/runs")["runs"]] == [None]
