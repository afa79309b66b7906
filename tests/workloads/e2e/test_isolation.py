"""What is one person's is out of everyone else's reach: users, services, logs."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from sqlalchemy import select, text, update
from sqlalchemy.engine import make_url

from tests.workloads.files import uploaded
from tests.workloads.platform import APPLICATIONS, Platform
from tests.workloads.servers import Issuer, Postgres
from workloads.chassis import clock, dialect
from workloads.chassis.database import Database
from workloads.chassis.tenancy import UnboundQuery
from workloads.services.transaction.models import MatchSuggestion, Synchronised, Transaction

SERVICES = tuple(APPLICATIONS)
BUDGET = {"name": "Food", "categories": ["eating-out"], "currency": "EUR", "limit": 100, "start": "2026-01"}
TICKET = {"subject": "Nobody else's question", "text": "How?"}
PHONE = {"platform": "fcmv1", "channel": "nobody-elses-phone"}
BODIES: dict[tuple[str, str], Any] = {
    ("transaction", "/match-suggestions/{suggestion_id}/decision"): {"same": True},
    ("enrichment", "/assignments/{transaction_id}"): {"category": "children"},
    ("recurring", "/series/{series_id}"): {"name": "Mine"},
    ("budget", "/budgets/{budget_id}"): BUDGET,
    ("budget", "/budgets/{budget_id}/months/{month}"): {"limit": 1},
    ("sync", "/schedule"): {"enabled": False},
    **{
        (service, f"{consent}/authorisation/{step}"): {member: "123456"}
        for service, consent in (
            ("connector", "/banks/{bank}/consents/{consent_id}"),
            ("consent", "/consents/{consent_id}"),
        )
        for step, member in (("password", "password"), ("method", "method"), ("otp", "otp"), ("code", "code"))
    },
    ("document", "/documents/{document_id}/transaction"): {"transaction_id": str(uuid.UUID(int=1))},
    ("help", "/tickets/{ticket_id}/messages"): {"text": "Mine?"},
    ("notification", "/devices"): PHONE,
}
"""What a POST, PUT or PATCH is sent, where it is not what a synchronisation is sent."""


QUERIES = {("document", "/documents/{document_id}/matches"): {"minor": 480, "currency": "EUR", "date": "2026-11-20"}}
"""What an operation must be asked beside its path."""
EVERYBODYS = {("bank-directory", "/banks/{bank_id}"), ("help", "/articles/{article_id}")}
"""What a path names there is nobody's own."""


def _suggestion(server: Postgres, issuer: Issuer, owner: str, transaction: str) -> str:
    """A suggestion that two of the owner's transactions are one."""
    database, user = Database(server.url("platform_transaction")), issuer.pseudonym(owner)
    with database.session(user) as session:
        row = MatchSuggestion(pending_id=uuid.UUID(transaction), booked_id=uuid.uuid4(), created=clock.now())
        session.add(row)
        session.flush()
        made = str(row.id)
    database.close()
    return made


def _notification(platform: Platform, owner: str) -> str:
    """The owner is told that a budget is spent, which it is from its beginning."""
    awake = {"timezone": "UTC", "quiet_from": "00:00", "quiet_to": "00:00"}
    platform.call(owner, "notification", "PUT", "/preferences", json=awake)
    platform.call(owner, "budget", "POST", "/budgets", 201, json=BUDGET)
    platform.settle()
    return platform.call(owner, "notification", "GET", "/notifications")["notifications"][0]["id"]


def _operations(platform: Platform) -> list[tuple[str, str, str]]:
    found = []
    for service in SERVICES:
        document = httpx.get(f"{platform.urls[service]}/openapi.json").json()
        for path, item in document["paths"].items():
            found += [(service, method.upper(), path) for method in item if not path.startswith("/healthz")]
    return found


def test_no_operation_of_any_service_lets_one_person_reach_what_is_anothers(
    platform: Platform, server: Postgres, issuer: Issuer
) -> None:
    owner, other = f"owner-{uuid.uuid4()}", f"other-{uuid.uuid4()}"
    platform.connect(owner, "aurora")
    platform.synchronise(owner)
    account = platform.call(owner, "account", "GET", "/accounts")["accounts"][0]
    transaction = platform.history(owner)[0]
    platform.settle()
    rule = {"words": ["backhaus"], "category": "sport"}
    names = {
        ("connector", "bank"): "aurora",
        ("connector", "consent_id"): account["bank_consent_id"],
        ("connector", "account_id"): account["bank_account_id"],
        ("consent", "consent_id"): account["consent_id"],
        ("account", "account_id"): account["id"],
        ("transaction", "transaction_id"): transaction["id"],
        ("transaction", "suggestion_id"): _suggestion(server, issuer, owner, transaction["id"]),
        ("enrichment", "transaction_id"): transaction["id"],
        ("recurring", "series_id"): platform.call(owner, "recurring", "GET", "/series")["series"][0]["id"],
        ("budget", "budget_id"): platform.call(owner, "budget", "POST", "/budgets", 201, json=BUDGET)["id"],
        ("budget", "month"): "2026-11",
        ("sync", "account_id"): account["id"],
        ("privacy", "erasure_id"): platform.call(f"erased-{owner}", "privacy", "POST", "/erasures", 202)["id"],
        ("notification", "notification_id"): _notification(platform, owner),
        ("notification", "device_id"): platform.call(owner, "notification", "POST", "/devices", 201, json=PHONE)["id"],
        ("enrichment", "rule_id"): platform.call(owner, "enrichment", "POST", "/rules", 201, json=rule)["id"],
        ("document", "document_id"): uploaded(platform, owner)["id"],
        ("help", "ticket_id"): platform.call(owner, "help", "POST", "/tickets", 201, json=TICKET)["id"],
        ("help", "article_id"): "connect-a-bank",
        ("bank-directory", "bank_id"): "aurora",
    }
    open_names = {"bank", "bank_id", "article_id", "month"}
    secrets = {each for (_, name), each in names.items() if name not in open_names} | {TICKET["subject"]}
    tried, http = 0, httpx.Client(timeout=20)
    for service, method, template in _operations(platform):
        path = re.sub(r"\{(\w+)\}", lambda m, s=service: names[s, m[1]], template)
        url = platform.urls[service] + path
        body = BODIES.get((service, template), {"attended": True}) if method in ("POST", "PUT", "PATCH") else None
        assert http.request(method, url, json=body).status_code == 401, f"{method} {template} without a token"
        token = {"Authorization": f"Bearer {platform.issuer.token(other)}"}
        asked = QUERIES.get((service, template))
        answer = http.request(method, url, json=body, params=asked, headers=token)
        assert answer.status_code < 500, f"{method} {template}: {answer.text}"
        for known in secrets - ({account["id"]} if service == "sync" else set()):
            assert known not in answer.text, f"{method} {template} tells of another's {known}"
        if service == "sync" and template.endswith("}"):
            assert answer.json()["left"] == answer.json()["per_day"], "the quota of an account nobody has read"
        elif (service, template) in EVERYBODYS:
            assert answer.status_code == 200
        elif template.endswith("}") or "_id}" in template:
            assert answer.status_code == 404, f"{method} {template}: {answer.status_code}"
            tried += 1
    assert tried >= 35
    filtered = platform.call(other, "transaction", "GET", "/transactions", params={"account_id": account["id"]})
    assert filtered == {"transactions": [], "next_cursor": None}
    still = platform.call(owner, "consent", "GET", f"/consents/{account['consent_id']}")
    assert still["status"] == "valid", "nobody else has revoked it"


def test_a_statement_on_users_rows_without_a_user_is_refused(server: Postgres, platform: Platform) -> None:
    database = Database(server.url("platform_transaction"))
    mine, yours = uuid.uuid4(), uuid.uuid4()
    table: Any = Transaction.__table__
    with pytest.raises(UnboundQuery), database.session() as session:
        session.scalars(select(Transaction))
    with pytest.raises(UnboundQuery), database.session(mine) as session:
        session.execute(select(table.c.id))
    for unread in (text("SELECT id FROM ledger_transaction"), select(Transaction.id).where(text("true"))):
        with pytest.raises(UnboundQuery), database.session(mine) as session:
            session.execute(unread)
    row = {"account_id": uuid.uuid4(), "user_id": yours, "until": None, "at": None}
    with pytest.raises(UnboundQuery), database.session(mine) as session:
        dialect.upsert(session, Synchronised, [row], key=["account_id"])
    with pytest.raises(UnboundQuery), database.session(mine) as session:
        session.add(Synchronised(account_id=uuid.uuid4(), user_id=yours, until=None))
    with database.session(mine) as session:
        changed: Any = session.execute(update(Transaction).values(remittance="taken"))
        assert changed.rowcount == 0, "an update of everything is an update of one's own"
        aliased = select(Transaction.id).where(Transaction.account_id.in_(select(Synchronised.account_id)))
        assert list(session.scalars(aliased)) == []
    database.close()


def test_no_service_goes_past_the_session_that_binds_its_statements() -> None:
    past = re.compile(r"\.connection\(|\.engine\b|create_engine|raw_connection|\bSession\(")
    services = Path(__file__).resolve().parents[3] / "workloads/services"
    assert services.is_dir()
    found = [path.name for path in services.rglob("*.py") if past.search(path.read_text())]
    assert found == []


def test_a_service_reaches_its_own_database_and_no_other(server: Postgres, platform: Platform) -> None:
    def connect(database: str, role_of: str) -> psycopg.Connection[Any]:
        role = uuid.uuid5(uuid.NAMESPACE_DNS, role_of)
        return psycopg.connect(host=str(server.socket_folder), user=str(role), dbname=database)

    with connect("platform_account", "platform_account") as own:
        own.execute("SELECT count(*) FROM account")
        for ddl in ("CREATE TABLE x (i int)", "DROP TABLE account", "SELECT * FROM alembic_version", "CREATE ROLE x"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                own.execute(ddl)  # type: ignore[arg-type]
            own.rollback()
    with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
        connect("platform_account", "platform_consent")
    assert make_url(server.url("x")).username


def test_an_invalid_request_is_not_told_back(platform: Platform, issuer: Issuer) -> None:
    headers = {"Authorization": f"Bearer {issuer.token('x')}"}
    body = {"bank": "aurora", "return_address": "https://app.example", "accounts": [{"iban": "de00secret"}]}
    answer = httpx.post(f"{platform.urls['consent']}/consents", json=body, headers=headers)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert "de00secret" not in answer.text
    assert answer.json()["violations"][0]["location"] == "body.accounts.0.iban"


@pytest.mark.parametrize("service", SERVICES)
def test_every_error_is_a_problem_with_the_requests_id(
    platform: Platform, service: str, sandbox: Callable[[str], str]
) -> None:
    asked = str(uuid.uuid4())
    for method, path, status in (("GET", "/nowhere", 404), ("PATCH", "/healthz/live", 405)):
        answer = httpx.request(method, platform.urls[service] + path, headers={"X-Request-ID": asked})
        assert answer.status_code == status
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["status"] == status
        assert answer.headers["x-request-id"] == answer.json()["instance"] == asked
    for probe in ("live", "ready", "startup"):
        assert httpx.get(f"{platform.urls[service]}/healthz/{probe}").json() == {"status": "ok"}
