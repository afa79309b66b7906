"""Four unattended reads in any 24 hours, whoever counts and however often they restart; attended ones are free."""

from __future__ import annotations

import datetime
import threading
import uuid
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.workloads.platform import Platform
from tests.workloads.servers import Issuer, Postgres
from workloads.chassis import clock
from workloads.chassis.database import Database
from workloads.chassis.tasks import Due
from workloads.services.sync import domain, runs, store
from workloads.services.sync.models import Access

NOW = datetime.datetime(2026, 11, 26, 12, tzinfo=datetime.UTC)
MINUTES = st.lists(st.integers(0, 3000), max_size=12)


@given(MINUTES)
def test_whoever_waits_until_it_is_free_never_makes_five_in_a_day(gaps: list[int]) -> None:
    made: list[datetime.datetime] = []
    now = NOW
    for gap in gaps:
        now = max(now + datetime.timedelta(minutes=gap), domain.free_at(made, now))
        assert domain.left(made, now) > 0
        made.append(now)
    for n in range(len(made) - domain.PER_DAY):
        assert made[n + domain.PER_DAY] - made[n] > domain.DAY


@given(MINUTES)
def test_what_is_left_and_when_it_is_free_agree(ago: list[int]) -> None:
    made = [NOW - datetime.timedelta(minutes=each) for each in ago]
    free = domain.free_at(made, NOW)
    assert (free == NOW) == (domain.left(made, NOW) > 0)
    assert domain.left(made, free + datetime.timedelta(seconds=1)) > 0


@given(MINUTES, st.lists(st.integers(0, 5000), min_size=12, max_size=12))
def test_a_clock_that_is_set_back_never_lets_five_be_made_in_a_day(gaps: list[int], back: list[int]) -> None:
    minute, real, ahead = datetime.timedelta(minutes=1), NOW, 5000 * 12 * datetime.timedelta(minutes=1)
    kept: list[datetime.datetime] = []
    made: list[datetime.datetime] = []
    for gap, step in zip(gaps, back, strict=False):
        real, ahead = real + gap * minute, ahead - step * minute
        now = real + ahead
        kept = [min(each, now) for each in kept]  # as the store does before it counts
        if domain.left(kept, now):
            kept.append(now)
            made.append(real)
        assert domain.free_at(kept, now) <= now + domain.DAY + domain.SLACK, "nobody waits longer than a day"
    for n in range(len(made) - domain.PER_DAY):
        assert made[n + domain.PER_DAY] - made[n] > domain.DAY


@pytest.fixture(scope="module")
def databases(server: Postgres) -> Iterator[list[Database]]:
    """Two workers' connections to one database."""
    url = server.service_url("sync", "quota")
    opened = [Database(url), Database(url)]
    yield opened
    for each in opened:
        each.close()


def test_workers_that_race_and_restart_spend_four_in_all(databases: list[Database]) -> None:
    user, account, granted, lock = uuid.uuid4(), uuid.uuid4(), [], threading.Lock()

    def work(database: Database) -> None:
        for _ in range(3):
            restarted = Database(database.url.render_as_string(hide_password=False))
            with restarted.session(user) as session:
                got = store.spend(session, user, [account])
            restarted.close()
            with lock:
                granted.extend(got)

    threads = [threading.Thread(target=work, args=(each,)) for each in databases * 2]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert granted == [account] * 4


def test_an_access_is_free_again_when_it_is_a_day_old(databases: list[Database]) -> None:
    user, account, day = uuid.uuid4(), uuid.uuid4(), domain.DAY + domain.SLACK
    with databases[0].session(user) as session:
        for hours in (25, 10, 5, 1):
            session.add(Access(account_id=account, at=clock.now() - datetime.timedelta(hours=hours)))
    with databases[0].session(user) as session:
        assert store.spend(session, user, [account]) == [account]
        assert store.spend(session, user, [account]) == []
        free = domain.free_at(store.accesses(session, account), clock.now())
    assert abs(free - (clock.now() - datetime.timedelta(hours=10) + day)) < datetime.timedelta(minutes=1)


def test_accesses_dated_in_the_future_count_a_day_from_now_on(databases: list[Database]) -> None:
    user, account = uuid.uuid4(), uuid.uuid4()
    with databases[0].session(user) as session:
        for days in (30, 60, 90, 400):
            session.add(Access(account_id=account, at=clock.now() + datetime.timedelta(days=days)))
    with databases[0].session(user) as session:
        shown = domain.free_at(store.accesses(session, account), clock.now())
        assert store.spend(session, user, [account]) == []
        kept = store.accesses(session, account)
    assert max(kept) <= clock.now()
    assert len(kept) == domain.PER_DAY
    assert shown - clock.now() <= domain.DAY + domain.SLACK


def test_reads_with_nobody_there_stop_at_four_and_one_that_is_asked_for_is_free(
    platform: Platform, issuer: Issuer, server: Postgres
) -> None:
    assert platform.bus
    person = f"sync-{uuid.uuid4()}"
    user = issuer.pseudonym(person)
    platform.connect(person, "aurora")
    platform.synchronise(person)
    app = platform.states["sync"]
    for _ in range(5):
        assert runs.on_time(Due(user, uuid.UUID(int=0), app.database, app)) is not None
    platform.settle()
    listed = platform.call(person, "sync", "GET", "/runs")["runs"]
    assert [(each["attended"], each["failures"]) for each in listed] == [(False, [])] * 4
    account = platform.call(person, "account", "GET", "/accounts")["accounts"][0]["id"]
    quota = platform.call(person, "sync", "GET", f"/quotas/{account}")
    assert quota["left"] == 0
    told = [each.type for each in platform.bus.published if each.user == user and each.type.startswith("sync.")]
    assert told.count("sync.requested") == told.count("sync.completed") == 4
    assert told.count("sync.quota_exhausted") == 2, "both accounts, at the fifth"

    attended = platform.call(person, "sync", "POST", "/runs")
    assert (attended["attended"], attended["failures"]) == (True, [])
    assert platform.call(person, "sync", "GET", f"/quotas/{account}")["left"] == 0


def test_a_schedule_that_is_switched_off_reads_nothing(platform: Platform, issuer: Issuer) -> None:
    person = f"off-{uuid.uuid4()}"
    user, app = issuer.pseudonym(person), platform.states["sync"]
    assert platform.call(person, "sync", "PUT", "/schedule", json={"enabled": False})["enabled"] is False
    assert runs.on_time(Due(user, uuid.UUID(int=0), app.database, app)) is None
    platform.call(person, "sync", "PUT", "/schedule", 422, json={"times_a_day": 5})
