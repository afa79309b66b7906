"""Series from a history, and what is told when one does not come."""

from __future__ import annotations

import datetime
import uuid

import pytest
from sqlalchemy import delete, select, update

from tests.workloads.platform import Platform
from tests.workloads.servers import Issuer, Postgres
from workloads.chassis import clock
from workloads.chassis.database import Database
from workloads.chassis.events.envelope import Event
from workloads.services.recurring import store
from workloads.services.recurring.models import AccountRead, Fact, SeriesRow


@pytest.fixture(scope="module")
def person() -> str:
    return f"recurring-{uuid.uuid4()}"


def test_rent_salary_and_subscriptions_are_found_and_coming(platform: Platform, person: str) -> None:
    platform.connect(person, "aurora")
    platform.synchronise(person)
    platform.settle()
    found = platform.call(person, "recurring", "GET", "/series")["series"]
    typical = {each["decimal"]: each["every"] for each in found}
    assert {"-890.00", "2950.00", "-12.99", "-19.99", "-74.00"} <= set(typical)
    assert {typical[each] for each in ("-890.00", "2950.00", "-12.99")} == {"month"}
    assert "-200.00" not in typical, "a transfer between own accounts is no payment"
    coming = platform.call(person, "recurring", "GET", "/expected")["expected"]
    dates = [each["date"] for each in coming]
    assert dates == sorted(dates)
    assert sum(each["minor"] == -89000 for each in coming) in (3, 4)


def test_synchronising_again_finds_the_same_series(platform: Platform, person: str) -> None:
    before = platform.call(person, "recurring", "GET", "/series")
    platform.synchronise(person)
    platform.settle()
    assert platform.call(person, "recurring", "GET", "/series") == before


def test_a_series_can_be_named_and_ignored(platform: Platform, person: str) -> None:
    series = platform.call(person, "recurring", "GET", "/series")["series"][0]
    path = f"/series/{series['id']}"
    assert platform.call(person, "recurring", "PATCH", path, json={"name": "Mine"})["name"] == "Mine"
    changed = platform.call(person, "recurring", "PATCH", path, json={"ignored": True})
    assert (changed["name"], changed["ignored"]) == ("Mine", True)
    coming = platform.call(person, "recurring", "GET", "/expected")["expected"]
    assert series["id"] not in {each["series_id"] for each in coming}


def test_a_payment_that_does_not_come_is_told_once_and_a_series_ends_after_two(
    platform: Platform, person: str, server: Postgres, issuer: Issuer
) -> None:
    assert platform.bus
    user, database = issuer.pseudonym(person), Database(server.url("platform_recurring"))
    series = uuid.UUID(platform.call(person, "recurring", "GET", "/series")["series"][-1]["id"])
    read(database, user, series, clock.now() - datetime.timedelta(hours=1))
    for missed, ended in ((1, False), (2, True)):
        with database.session(user) as session:
            late = clock.today() - datetime.timedelta(days=20)
            session.execute(update(SeriesRow).where(SeriesRow.id == series).values(next=late))
        with database.session(user) as session:
            store.miss(session, user, series)
        view = platform.call(person, "recurring", "GET", f"/series/{series}")
        assert (view["missed"], view["ended"], view["next"] is None) == (missed, ended, ended)
    with database.session(user) as session:
        assert store.miss(session, user, series) is None
    database.close()
    with platform.bus.changed:  # the service's relay was not woken: this test wrote past it
        platform.bus.changed.wait_for(lambda: len(_missed(platform, user)) == 2, 10)
    assert [each.data["series_id"] for each in _missed(platform, user)] == [str(series)] * 2


def test_while_a_bank_is_not_read_nobody_knows_what_was_missed(
    platform: Platform, person: str, server: Postgres, issuer: Issuer
) -> None:
    user, database = issuer.pseudonym(person), Database(server.url("platform_recurring"))
    series = uuid.UUID(platform.call(person, "recurring", "GET", "/series")["series"][0]["id"])
    with database.session(user) as session:
        row = store.get(session, series)
        row.next = clock.today() - datetime.timedelta(days=20)
        due = store.overdue(row)
        session.execute(delete(AccountRead))
    for at in (None, due - datetime.timedelta(days=1), clock.now()):  # never, too early, not sorted yet
        if at:
            read(database, user, series, at)
        with database.session(user) as session:
            again = store.miss(session, user, series)
            assert again
            assert clock.now() < again
            assert store.get(session, series).missed == 0
    read(database, user, series, due)  # word that comes late says nothing new
    with database.session(user) as session:
        assert store.miss(session, user, series)
        assert store.get(session, series).missed == 0
        session.execute(update(AccountRead).values(at=clock.now() - datetime.timedelta(hours=1)))
    with database.session(user) as session:
        store.miss(session, user, series)
        assert store.get(session, series).missed == 1
    database.close()


def test_what_was_due_long_ago_is_not_waited_for(
    platform: Platform, person: str, server: Postgres, issuer: Issuer
) -> None:
    user, database = issuer.pseudonym(person), Database(server.url("platform_recurring"))
    series = uuid.UUID(platform.call(person, "recurring", "GET", "/series")["series"][0]["id"])
    with database.session(user) as session:
        session.execute(delete(AccountRead))
        row = store.get(session, series)
        row.next, before = clock.today() - datetime.timedelta(days=61), row.missed
    with database.session(user) as session:
        store.miss(session, user, series)
        assert store.get(session, series).missed == before + 1
    database.close()


def test_a_run_tells_which_accounts_were_read(
    platform: Platform, person: str, server: Postgres, issuer: Issuer
) -> None:
    user, database = issuer.pseudonym(person), Database(server.url("platform_recurring"))
    start = clock.now()
    platform.call(person, "sync", "POST", "/runs")
    platform.settle()
    accounts = {each["id"] for each in platform.call(person, "account", "GET", "/accounts")["accounts"]}
    with database.session(user) as session:
        read_now = session.scalars(select(AccountRead.account_id).where(AccountRead.at >= start))
        assert {str(each) for each in read_now} == accounts
    database.close()


def read(database: Database, user: uuid.UUID, series: uuid.UUID, at: datetime.datetime) -> None:
    """The bank of a series' account was read."""
    with database.session(user) as session:
        latest = store.get(session, series).transaction_id
        account = session.scalars(select(Fact.account_id).where(Fact.transaction_id == latest)).one()
        store.read(session, user, [account], at)


def _missed(platform: Platform, user: uuid.UUID) -> list[Event]:
    assert platform.bus
    return [each for each in platform.bus.published if each.type == "recurring.missed" and each.user == user]
