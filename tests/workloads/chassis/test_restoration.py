"""A service whose database is a backup's holds everything back until what was erased since is erased again."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import psycopg
import pytest
from fastapi import FastAPI, Response

from tests.workloads.memory_bus import MemoryBus
from tests.workloads.platform import Platform, wait_until_ready
from tests.workloads.servers import ADMINISTRATOR, AUDIENCE, Issuer, Postgres, Servers
from workloads.chassis import clock, erasure, restoration
from workloads.chassis.acting import ActingIdentity
from workloads.chassis.database import Database
from workloads.chassis.events.envelope import Event
from workloads.services.budget import api as budget_api
from workloads.services.budget.models import Budget
from workloads.services.budget.settings import BudgetSettings

ROW = {
    "name": "Back", "categories": "sport", "currency": "EUR", "rollover": "none", "thresholds": "80", "limit_minor": 1,
}  # fmt: skip


@dataclass
class Listing:
    """A privacy service: pages of erasures. silent: whether it does not answer now."""

    pages: list[list[dict[str, Any]]]
    silent: bool = False
    asked: int = 0
    taken: threading.Event = field(default_factory=threading.Event)

    def serve(self, servers: Servers) -> str:
        app = FastAPI()

        @app.get("/due-erasures")
        def due(response: Response, before: int | None = None) -> dict[str, Any]:
            self.asked += 1
            self.taken.set()
            if self.silent:
                response.status_code = 500
            page = before or 0
            more = page + 1 < len(self.pages)
            return {"erasures": self.pages[page], "before": str(page + 1) if more else None}

        return servers.serve(app)


def erased(user: uuid.UUID, *, answered: bool = True) -> dict[str, Any]:
    return {"id": str(uuid.uuid4()), "subject": str(user), "round": 2 if answered else 1, "answered": answered}


@dataclass
class Restored:
    """A budget service on a database of its own."""

    database: Database
    bus: MemoryBus
    start: Callable[[Listing], str]
    state: Any = None
    restarts: threading.Event = field(default_factory=threading.Event)

    def brought_back(self, user: uuid.UUID) -> None:
        with self.database.session(user) as session:
            session.add(Budget(**ROW, start=clock.today().replace(day=1), created=clock.now()))

    def holds(self, user: uuid.UUID) -> bool:
        with self.database.session(user) as session:
            return bool(session.query(Budget).count())

    def knows(self, due: dict[str, Any]) -> bool:
        with self.database.session() as session:
            return bool(erasure.applied(session, {uuid.UUID(due["id"])}))


@pytest.fixture
def restored(server: Postgres, servers: Servers, issuer: Issuer, user_settings: dict[str, str]) -> Iterator[Restored]:
    url = server.service_url("budget", f"restored_{uuid.uuid4().hex[:12]}")
    bus = MemoryBus({"budget": budget_api.HANDLERS})

    def start(listing: Listing) -> str:
        settings = {**user_settings, "database_url": url, "privacy_url": listing.serve(servers)}
        app = budget_api.build(BudgetSettings.model_validate(settings))
        app.state.bus, app.state.acting = bus, ActingIdentity(AUDIENCE, lambda: issuer.token("service budget"))
        app.state.restoration.restart = running.restarts.set
        running.state = app.state
        return servers.serve(app)

    running = Restored(Database(url), bus, start)
    yield running
    running.database.close()


def test_nothing_is_let_in_until_the_database_has_every_erasure(restored: Restored, issuer: Issuer) -> None:
    user = issuer.pseudonym("restored")
    due = erased(user)
    restored.brought_back(user)
    event = Event.new("privacy", erasure.REQUESTED, uuid.uuid4(), {"erasure_id": str(uuid.uuid4()), "round": 1})
    restored.bus.publish([event])
    listing = Listing([[due]], silent=True)
    url = restored.start(listing)
    listing.taken.wait(30)
    asks = {"Authorization": f"Bearer {issuer.token('restored')}"}
    refused = httpx.get(f"{url}/budgets", headers=asks)
    assert (refused.status_code, refused.json()["type"]) == (503, "/problems/erasures-pending")
    assert refused.headers["content-type"] == "application/problem+json"
    assert {path: httpx.get(f"{url}/healthz/{path}").status_code for path in ("live", "startup", "ready")} == {
        "live": 200, "startup": 200, "ready": 503,
    }  # fmt: skip
    assert restored.bus.queues["budget"], "no event is handled"
    assert restored.holds(user)

    listing.silent = False
    wait_until_ready([url])
    assert not restored.holds(user)
    assert restored.knows(due)
    assert httpx.get(f"{url}/budgets", headers=asks).json() == {"budgets": []}
    restored.bus.settle()


def test_a_restart_does_not_wait_for_a_privacy_service_that_is_down(restored: Restored) -> None:
    listing = Listing([[erased(uuid.uuid4())]])
    wait_until_ready([restored.start(listing)])
    silent = Listing(listing.pages, silent=True)
    wait_until_ready([restored.start(silent)])
    assert silent.asked, "it was asked first"
    silent.pages[0].append(missed := erased(uuid.uuid4()))
    silent.silent = False
    assert restored.restarts.wait(30), "once it answers, what the database lacks shows"
    wait_until_ready([restored.start(silent)])
    assert restored.knows(missed)


def _held_back(restored: Restored, listing: Listing) -> bool:
    """Whether a service that starts now waits for the privacy service, which does not answer."""
    url, silent = "", Listing(listing.pages, silent=True)
    url = restored.start(silent)
    deadline = time.monotonic() + 30
    while silent.asked < 7 and time.monotonic() < deadline:  # each attempt asks three times
        time.sleep(0.05)
    assert silent.asked >= 7
    return httpx.get(f"{url}/healthz/ready").status_code == 503


def test_a_copy_in_the_place_of_the_database_is_held_back_though_it_says_that_it_was_looked_at(
    restored: Restored, server: Postgres
) -> None:
    listing = Listing([[erased(uuid.uuid4())]])
    url = restored.start(listing)
    wait_until_ready([url])
    listing.silent = True
    name, backup = restored.database.url.database, f"backup_{uuid.uuid4().hex[:12]}"
    restored.database.engine.dispose()
    with psycopg.connect(host=str(server.socket_folder), user="postgres", dbname="postgres", autocommit=True) as owner:
        owner.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')  # type: ignore[arg-type]  # psycopg wants literals; the name is ours
        owner.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name])
        owner.execute(f'ALTER DATABASE "{name}" RENAME TO "{backup}"')  # type: ignore[arg-type]  # psycopg wants literals; the name is ours
        owner.execute(f'CREATE DATABASE "{name}" TEMPLATE "{backup}" OWNER {ADMINISTRATOR}')  # type: ignore[arg-type]  # psycopg wants literals; the name is ours
        owner.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')  # type: ignore[arg-type]  # psycopg wants literals; the name is ours
    deadline = time.monotonic() + 30
    while not restored.restarts.is_set() and time.monotonic() < deadline:
        httpx.get(f"{url}/healthz/startup")
        restored.restarts.wait(0.05)
    assert restored.restarts.is_set(), "the running service ends, whoever answers"
    assert _held_back(restored, listing)


def test_a_database_that_was_looked_at_long_ago_is_held_back(restored: Restored) -> None:
    listing = Listing([[erased(uuid.uuid4())]])
    wait_until_ready([restored.start(listing)])
    with psycopg.connect(restored.database.url.render_as_string(False).replace("+psycopg", "")) as connection:
        connection.execute("UPDATE handled_event SET at = at - %s WHERE source = '/checks'", [restoration.TRUSTED])
    assert _held_back(restored, listing)


def test_an_erasure_is_found_behind_pages_and_the_search_ends_where_all_is_known(restored: Restored) -> None:
    users = [uuid.uuid4() for _ in range(4)]
    pages = [[erased(each)] for each in users]
    listing = Listing(pages)
    restored.brought_back(users[3])
    wait_until_ready([restored.start(listing)])
    assert [restored.knows(each) for [each] in pages] == [True] * 4
    assert (listing.asked, restored.holds(users[3])) == (4, False)

    again = Listing(pages)
    wait_until_ready([restored.start(again)])
    assert again.asked == 1


def test_an_older_database_under_a_running_service_stops_it(restored: Restored, server: Postgres) -> None:
    user = uuid.uuid4()
    due = erased(user)
    listing = Listing([[erased(uuid.uuid4(), answered=False), due]])
    url = restored.start(listing)
    wait_until_ready([url])

    def cut() -> None:
        listing.taken.clear()
        name = restored.database.url.database
        query = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND pid <> pg_backend_pid()"
        with psycopg.connect(host=str(server.socket_folder), user="postgres", dbname="postgres") as connection:
            connection.execute(query, [name])
        deadline = time.monotonic() + 30
        while not listing.taken.is_set() and time.monotonic() < deadline:
            httpx.get(f"{url}/healthz/startup")
            listing.taken.wait(0.05)
        assert listing.taken.is_set()

    cut()
    assert not restored.restarts.wait(0.2), "it has what it must have; what is under way proves nothing"
    assert httpx.get(f"{url}/healthz/ready").status_code == 200

    with psycopg.connect(restored.database.url.render_as_string(False).replace("+psycopg", "")) as connection:
        connection.execute("DELETE FROM handled_event WHERE event_id = %s", [due["id"]])
    cut()
    assert restored.restarts.wait(30)
    assert httpx.get(f"{url}/healthz/ready").status_code == 503


def test_only_services_that_hold_users_data_are_told_who_was_erased(platform: Platform, issuer: Issuer) -> None:
    address = f"{platform.urls['privacy']}/due-erasures"
    for caller, status in (("service budget", 200), ("service audit", 403), ("anna", 403)):
        token = issuer.token(caller)
        assert httpx.get(address, headers={"Authorization": f"Bearer {token}"}).status_code == status, caller
    assert httpx.get(address).status_code == 401
