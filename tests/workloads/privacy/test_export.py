"""An export holds everything, in forms that people's programs open without harm."""

from __future__ import annotations

import csv
import io
import json
import pkgutil
import uuid
import zipfile
from collections.abc import Sequence
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import httpx
import pytest

from tests.workloads.files import RECEIPT, uploaded
from tests.workloads.platform import Platform
from tests.workloads.servers import Issuer
from workloads import services
from workloads.chassis.erasure import owned_models
from workloads.chassis.identity import User
from workloads.services.privacy.export import PARTS, Part, archive, listed
from workloads.services.sync import store as sync_store

BUDGET = {"name": "Food", "categories": ["eating-out"], "currency": "EUR", "limit": 100, "start": "2026-01"}
RUNS = 60


def runs_of(platform: Platform, user: uuid.UUID) -> None:
    """As many runs as there may be of half a month."""
    with platform.states["sync"].database.session(user) as session:
        for _ in range(RUNS):
            sync_store.begin(session, user, attended=True)


def test_everything_of_a_person_is_in_the_export_as_json_and_csv(platform: Platform, issuer: Issuer) -> None:
    person = f"exported-{uuid.uuid4()}"
    platform.connect(person, "aurora")
    platform.synchronise(person)
    platform.settle()
    receipt = uploaded(platform, person)
    gone, corrected = (each["id"] for each in platform.history(person)[:2])
    platform.call(person, "transaction", "DELETE", f"/transactions/{gone}", 204)
    platform.call(person, "enrichment", "PUT", f"/assignments/{corrected}", json={"category": "sport"})
    platform.call(person, "budget", "POST", "/budgets", 201, json=BUDGET)
    runs_of(platform, issuer.pseudonym(person))
    platform.settle()
    channel = {"endpoint": "https://push.example/kept-sealed", "p256dh": "B" * 87, "auth": "A" * 22}
    browser = {"platform": "browser", "channel": channel}
    device = platform.call(person, "notification", "POST", "/devices", 201, json=browser)
    token = {"Authorization": f"Bearer {platform.issuer.token(person)}"}
    answer = httpx.get(f"{platform.urls['privacy']}/export", headers=token, timeout=60)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/zip"
    platform.settle()
    kept_of_it = platform.call(person, "audit", "GET", "/entries")["entries"][0]
    [shown] = platform.call(person, "notification", "GET", "/notifications", params={"unread": True})["notifications"][
        :1
    ]
    assert (kept_of_it["type"], shown["kind"]) == ("export.ready", "export-ready")
    with zipfile.ZipFile(io.BytesIO(answer.content)) as zipped:
        told = json.loads(zipped.read("export.json"))
        kept = zipped.read(f"documents/{receipt['id']}-Beleg März.pdf")
        listed = list(csv.DictReader(io.StringIO(zipped.read("transactions.csv").decode())))
    history = platform.history(person)
    assert [each["id"] for each in told["transactions"]] == [each["id"] for each in history]
    assert [each["counterparty"] for each in listed] == [each["counterparty"] for each in history]
    assert kept == RECEIPT
    assert told["documents"] == [receipt]
    assert {"profile", "tickets", "consents", "accounts", "budgets", "recurring", "audit"} <= set(told)
    assert len(told["accounts"]) == 2
    numbers = {each["account_id"]: each["iban"] for each in told["account_numbers"]}
    assert {each["id"] for each in told["accounts"]} == set(numbers)
    assert "DE48500105170532013000" in numbers.values(), "whole, and not as others are shown it"
    assert [each["id"] for each in told["deleted_transactions"]] == [gone]
    assert gone not in {each["id"] for each in told["transactions"]}
    assert told["corrections"] == [{"transaction_id": corrected, "party": None, "category": "sport"}]
    assert [each["consent_id"] for each in told["consent_evidence"]] == [each["id"] for each in told["consents"]] * 2
    assert {each["budget_id"] for each in told["budget_months"]} == {each["id"] for each in told["budgets"]}
    assert len(told["runs"]) == RUNS, "more than one page"
    assert [each["id"] for each in told["devices"]] == [device["id"]]
    assert "kept-sealed" not in json.dumps(told)


IN_THE_EXPORT = {
    "account": {"account": "accounts", "balance": "accounts"},
    "budget": {"budget": "budgets", "month_limit": "budgets"},
    "consent": {"consent": "consents", "consent_evidence": "consent_evidence"},
    "document": {"document": "documents"},
    "enrichment": {"assignment": "transactions", "party_category": "corrections", "category_rule": "rules"},
    "forecast": {"projected_month": "forecast"},
    "help": {"ticket": "tickets", "ticket_message": "tickets"},
    "notification": {"preference": "preferences", "notification": "notifications", "device": "devices"},
    "recurring": {"series": "recurring"},
    "sync": {"schedule": "schedule", "run": "runs"},
    "transaction": {"ledger_transaction": "transactions", "match_suggestion": "match_suggestions"},
    "user": {"profile": "profile"},
}
"""Of each service's tables, the part that tells what the person's rows hold."""
IN_NONE = {
    "budget.fact", "forecast.fact", "notification.fact", "recurring.fact",  # copies of what transactions tell
    "notification.profile",  # a copy of what the profile tells
    "transaction.own_account",  # account_numbers, by blind index
    "transaction.ledger", "transaction.synchronised_account", "enrichment.progress",  # how far something was read
    "recurring.account_read",
    "budget.crossing", "notification.push",  # that a notification was told, and pushed
    "sync.access", "connector.bank_call",  # what runs did, each request of theirs
    "connector.bank_consent", "connector.bank_account",  # consents and accounts, by the names that banks give them
    "connector.bank_token",  # credentials: they leave the connector to nobody
}  # fmt: skip
"""Tables that tell nothing of the person that the export does not tell, and why."""


def test_every_table_with_rows_of_people_is_in_the_export_or_said_to_be_in_none() -> None:
    held = {
        f"{each.name}.{model.__tablename__}"
        for each in pkgutil.iter_modules(services.__path__)
        if (module := find_spec(f"{services.__name__}.{each.name}.models"))
        for model in owned_models([import_module(module.name).Base])
    }
    told = {f"{service}.{table}" for service, tables in IN_THE_EXPORT.items() for table in tables}
    assert held == told | IN_NONE
    assert {part for tables in IN_THE_EXPORT.values() for part in tables.values()} <= set(PARTS)


class Answers:
    """A service of which a test says what it answers, a page at a time."""

    def __init__(self, pages: Sequence[dict[str, Any]]) -> None:
        self.pages, self.asked = iter(pages), list[tuple[str, dict[str, str]]]()

    def call(self, method: str, path: str, user: User, params: dict[str, str]) -> dict[str, Any]:
        self.asked.append((path, dict(params)))
        return next(self.pages)


@pytest.mark.parametrize(
    ("part", "pages", "asked"),
    [
        (Part("audit", "/entries", "entries", order="number"),
         [{"entries": [{"number": 9}, {"number": 8}]}, {"entries": [{"number": 3}]}, {"entries": []}],
         [("/entries", {}), ("/entries", {"before": "8"}), ("/entries", {"before": "3"})]),
        (Part("transaction", "/transactions?limit=2&state=deleted", "entries"),
         [{"entries": [1, 2], "next_cursor": "c"}, {"entries": [3], "next_cursor": None}],
         [("/transactions", {"limit": "2", "state": "deleted"}),
          ("/transactions", {"limit": "2", "state": "deleted", "cursor": "c"})]),
        (Part("user", "/profile"), [{"id": 1}], [("/profile", {})]),
    ],
    ids=["before the last", "by cursor", "one thing"],
)  # fmt: skip
def test_a_list_is_read_to_its_end(part: Part, pages: list[Any], asked: list[Any]) -> None:
    service = Answers(pages)
    things = listed(service, part.path, part, User(uuid.uuid4(), "token"))
    assert things == ([thing for page in pages for thing in page["entries"]] if part.member else pages)
    assert service.asked == asked


@pytest.mark.parametrize("text", ["=1+1", "@SUM(A1)", "+cmd|' /C calc'!A0", "-2+3"])
def test_no_text_becomes_a_formula(text: str) -> None:
    with zipfile.ZipFile(io.BytesIO(archive({"rules": [{"words": text, "minor": -480, "decimal": "-4.80"}]}))) as found:
        [row] = csv.DictReader(io.StringIO(found.read("rules.csv").decode()))
    assert row == {"words": f"'{text}", "minor": "-480", "decimal": "-4.80"}
