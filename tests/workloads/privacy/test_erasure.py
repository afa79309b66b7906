"""After an erasure no store holds the person, the banks know of no consent, and a receipt says what went."""

from __future__ import annotations

import time
import uuid
from typing import Any

import psycopg
import pytest
from sqlalchemy import delete

from tests.workloads.files import uploaded
from tests.workloads.platform import APPLICATIONS, Platform, wait_until_ready
from tests.workloads.servers import Issuer, Postgres, Servers
from workloads.chassis import clock
from workloads.chassis.database import Database
from workloads.chassis.events import inbox
from workloads.chassis.events.tables import HandledEvent
from workloads.services.budget.models import Budget
from workloads.services.privacy import reapply, store
from workloads.services.privacy.domain import HOLDERS, step

BUDGET = {"name": "Food", "categories": ["eating-out"], "currency": "EUR", "limit": 100, "start": "2026-01"}


def erased(platform: Platform, person: str, erasure: str) -> dict[str, Any]:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        platform.settle()
        receipt = platform.call(person, "privacy", "GET", f"/erasures/{erasure}")
        if receipt["completed"]:
            return receipt
        time.sleep(0.2)
    raise AssertionError(f"not complete: {receipt}")


def held(server: Postgres, user: uuid.UUID) -> dict[str, int]:
    """Rows that name the user in any column of any table, but receipts and the audit trail, by table."""
    found = {}
    for service in APPLICATIONS:
        if service in ("privacy", "audit", "bank-directory"):
            continue
        with psycopg.connect(
            host=str(server.socket_folder), user="postgres", dbname=f"platform_{service}"
        ) as connection:
            tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
            for (table,) in tables:
                query = f"SELECT count(*) FROM \"{table}\" t WHERE t::text LIKE '%%' || %s || '%%'"
                count = connection.execute(query, [str(user)]).fetchone()  # type: ignore[arg-type]
                if count and count[0]:
                    found[f"{service}.{table}"] = count[0]
    return found


def bring_back(restored: Database, user: uuid.UUID) -> None:
    with restored.session(user) as session:
        back = {"name": "Back", "categories": "sport", "currency": "EUR", "rollover": "none", "thresholds": "80"}
        session.add(Budget(**back, limit_minor=1, start=clock.today().replace(day=1), created=clock.now()))


@pytest.fixture(scope="module")
def person() -> str:
    return f"erased-{uuid.uuid4()}"


def test_an_erasure_empties_every_store_and_ends_consents_at_the_banks(
    platform: Platform, person: str, issuer: Issuer, server: Postgres
) -> None:
    user = issuer.pseudonym(person)
    consents = [platform.connect(person, bank) for bank in ("aurora", "borealis")]
    platform.synchronise(person)
    platform.call(person, "budget", "POST", "/budgets", 201, json=BUDGET)
    platform.call(person, "user", "GET", "/profile")
    platform.call(person, "sync", "GET", "/schedule")
    uploaded(platform, person)
    platform.call(person, "help", "POST", "/tickets", 201, json={"subject": "Delete", "text": "How?"})
    phone = {"platform": "apns", "channel": "a" * 64}
    platform.call(person, "notification", "POST", "/devices", 201, json=phone)
    platform.settle()
    before = held(server, user)
    assert {each.partition(".")[0] for each in before} >= HOLDERS

    asked = platform.call(person, "privacy", "POST", "/erasures", 202)
    assert platform.call(person, "privacy", "POST", "/erasures", 202)["id"] == asked["id"], "one at a time"
    receipt = erased(platform, person, asked["id"])
    assert {each["service"] for each in receipt["replies"]} == HOLDERS
    by_service = {(each["service"], each["round"]): each for each in receipt["replies"]}
    assert by_service["consent", 1]["elsewhere"] == 2
    assert by_service["transaction", 1]["rows"] > 500
    assert by_service["document", 1]["elsewhere"] == 1
    assert not [each for each in platform.states["document"].files.held if each[0] == user]
    assert by_service["connector", 1]["rows"] == 0, "it is asked by consent, until the last round"
    assert by_service["connector", 2]["rows"] > 0
    time.sleep(2.5)  # relays empty their outboxes
    assert held(server, user) == {}
    with psycopg.connect(host=str(server.socket_folder), user="postgres", dbname="bank_aurora") as bank:
        statuses = bank.execute("SELECT DISTINCT status FROM consent WHERE status = 'terminatedByTpp'").fetchall()
    assert statuses, "the bank was told"
    assert len(consents) == 2
    assert platform.history(person) == []


def test_after_a_backup_was_restored_the_operators_command_applies_every_erasure_again(
    platform: Platform,
    person: str,
    issuer: Issuer,
    server: Postgres,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    user = issuer.pseudonym(person)
    restored = Database(server.url("platform_budget"))
    bring_back(restored, user)
    restored.close()
    assert held(server, user)
    privacy = Database(server.url("platform_privacy"))
    with privacy.session() as session:
        [erasure] = [str(each.id) for each in store.every(session) if each.subject == user]
    privacy.close()
    monkeypatch.setenv("DATABASE_URL", server.url("platform_privacy"))
    assert reapply.main() == 0
    assert "erasures are applied again" in capsys.readouterr().out
    time.sleep(2.5)  # the relay was not woken: the operator's command is a process of its own
    erased(platform, person, erasure)
    time.sleep(2.5)
    assert held(server, user) == {}


def test_a_restored_service_erases_again_before_it_serves(
    platform: Platform, person: str, issuer: Issuer, server: Postgres, servers: Servers
) -> None:
    user, running = issuer.pseudonym(person), platform.states["budget"]
    restored = Database(server.url("platform_budget"))
    bring_back(restored, user)
    with restored.session() as session:
        session.execute(delete(HandledEvent).where(HandledEvent.source == inbox.ERASURES))
    restored.close()
    app = APPLICATIONS["budget"][0](running.settings)
    app.state.bus, app.state.acting = running.bus, running.acting
    wait_until_ready([servers.serve(app)])
    time.sleep(2.5)  # the relay empties its outbox
    assert held(server, user) == {}


def test_a_round_waits_for_every_holder() -> None:
    for missing in HOLDERS:
        assert step(1, HOLDERS - {missing}) == "wait"
    assert step(1, HOLDERS) == "next-round"
    assert step(2, HOLDERS) == "complete"
