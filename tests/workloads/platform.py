"""All services over real HTTP, with two sandbox banks: what the end-to-end tests drive."""

from __future__ import annotations

import datetime
import json
import re
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol
from urllib.parse import parse_qs, urljoin, urlsplit

import httpx
from fastapi import FastAPI
from sqlalchemy import select

from stacks.services import SERVICES
from tests.workloads.files import MemoryFiles
from tests.workloads.memory_bus import MemoryBus
from tests.workloads.servers import AUDIENCE, Issuer, Postgres, Servers
from workloads.chassis.acting import ActingIdentity
from workloads.chassis.events.tables import OutboxEvent
from workloads.chassis.settings import Settings
from workloads.services.account import api as account_api
from workloads.services.account import handlers as account_handlers
from workloads.services.account.settings import AccountSettings
from workloads.services.audit import api as audit_api
from workloads.services.audit.settings import AuditSettings
from workloads.services.bank_directory import api as directory_api
from workloads.services.bank_directory.settings import DirectorySettings
from workloads.services.budget import api as budget_api
from workloads.services.budget.settings import BudgetSettings
from workloads.services.connector import api as connector_api
from workloads.services.connector.settings import ConnectorSettings
from workloads.services.consent import api as consent_api
from workloads.services.consent import handlers as consent_handlers
from workloads.services.consent.settings import ConsentSettings
from workloads.services.document import api as document_api
from workloads.services.document.settings import DocumentSettings
from workloads.services.enrichment import api as enrichment_api
from workloads.services.enrichment.settings import EnrichmentSettings
from workloads.services.forecast import api as forecast_api
from workloads.services.forecast.settings import ForecastSettings
from workloads.services.help import api as help_api
from workloads.services.help.settings import HelpSettings
from workloads.services.notification import api as notification_api
from workloads.services.notification.settings import NotificationSettings
from workloads.services.privacy import api as privacy_api
from workloads.services.privacy.domain import HOLDERS
from workloads.services.privacy.settings import PrivacySettings
from workloads.services.recurring import api as recurring_api
from workloads.services.recurring.settings import RecurringSettings
from workloads.services.sync import api as sync_api
from workloads.services.sync import runs as sync_runs
from workloads.services.sync.settings import SyncSettings
from workloads.services.transaction import api as transaction_api
from workloads.services.transaction import handlers as transaction_handlers
from workloads.services.transaction.settings import TransactionSettings
from workloads.services.user import api as user_api
from workloads.services.user.settings import UserServiceSettings

RETURN = "https://app.example/return"


class SignsIn(Protocol):
    """Who gives a person a bearer token."""

    def token(self, person: str) -> str: ...


@dataclass
class Platform:
    """Base URLs by service, and who may call."""

    urls: dict[str, str]
    issuer: SignsIn
    browser: httpx.Client
    bus: MemoryBus | None = None
    """Where there is one at hand: what waits in it can be waited for."""
    states: Mapping[str, Any] = field(default_factory=dict)
    """State of each application, where they run in this process."""
    pause: float = 0.1
    """Seconds between two looks at a state that is waited for."""
    patience: float = 90
    """Seconds that it may take."""

    def call(self, person: str, service: str, method: str, path: str, expect: int = 200, **options: Any) -> Any:
        headers = {"Authorization": f"Bearer {self.issuer.token(person)}", **options.pop("headers", {})}
        response = httpx.request(method, self.urls[service] + path, headers=headers, timeout=120, **options)
        assert response.status_code == expect, response.text
        return response.json() if response.content else None

    def start(self, person: str, bank: str) -> dict[str, Any]:
        asked = {"bank": bank, "return_address": RETURN}
        return self.call(person, "consent", "POST", "/consents", 201, json=asked)

    def authorise(self, page: str, *, login: str = "anna", pin: str = "1111", decision: str = "approve") -> str:
        """What a person does at the bank: sign in, look, decide. The address the bank sends them back to."""
        assert self.browser.get(page).status_code == 200
        question = self.browser.post(f"{page}/login", data={"login": login, "pin": pin}).text
        ticket = re.search('name="ticket" value="([^"]+)"', question)
        assert ticket, question
        chosen = re.findall('name="account" value="([^"]+)"', question)
        form = {"ticket": ticket[1], "decision": decision, "account": chosen}
        return self.browser.post(f"{page}/decision", data=form).headers["location"]

    def led_on(self, authorise_at: str) -> str:
        """The bank's page, to which its authorisation endpoint leads the browser."""
        return urljoin(authorise_at, self.browser.get(authorise_at).headers["location"])

    def connect(self, person: str, bank: str, **at_bank: str) -> dict[str, Any]:
        """A consent, authorised; as it stands afterwards."""
        started = self.start(person, bank)
        if started["authorisation"]["step"] == "oauth":
            back = parse_qs(urlsplit(self.authorise(self.led_on(started["authorise_at"]), **at_bank)).query)
            given = {name: back[name][0] for name in ("code", "state")}
            self.call(person, "consent", "PUT", f"/consents/{started['id']}/authorisation/code", json=given)
        else:
            self.authorise(started["authorise_at"], **at_bank)
        return self.call(person, "consent", "POST", f"/consents/{started['id']}/refresh")

    def synchronise(self, person: str, *, attended: bool = True) -> dict[str, Any]:
        return self.call(person, "transaction", "POST", "/synchronisations", json={"attended": attended})

    def until_read(self, person: str, count: int, *, attended: bool = True) -> list[dict[str, Any]]:
        """Runs of the sync service's, once so many are over. A new consent is read without being asked for."""
        deadline = time.monotonic() + self.patience
        while True:
            listed = self.call(person, "sync", "GET", "/runs")["runs"]
            found = [each for each in listed if each["ended"] and each["attended"] == attended]
            if len(found) >= count:
                return found
            assert time.monotonic() < deadline, f"after {self.patience} s {len(found)} runs are over: {listed}"
            time.sleep(self.pause)

    def settle(self, but: Collection[str] = ()) -> None:
        """Wait until every event was handled, and those that came of it."""
        assert self.bus
        deadline = time.monotonic() + 30
        while True:
            published = len(self.bus.published)
            self.bus.settle(but=but)
            waiting = [name for name, state in self.states.items() if _unpublished(state)]
            # In this order: what left an outbox meanwhile was published, what was handled is in an outbox.
            if not waiting and published == len(self.bus.published):
                return
            assert time.monotonic() < deadline, f"not published in 30 s: {waiting}"
            time.sleep(0.01)

    def history(self, person: str, limit: int = 200, **wanted: str) -> list[dict[str, Any]]:
        """All pages."""
        found: list[dict[str, Any]] = []
        params: dict[str, Any] = {"limit": limit, **wanted}
        while True:
            page = self.call(person, "transaction", "GET", "/transactions", params=params)
            found += page["transactions"]
            if page["next_cursor"] is None:
                return found
            params["cursor"] = page["next_cursor"]

    def ledger(self, person: str) -> list[dict[str, Any]]:
        """All entries as the banks gave them: without what enrichment adds a moment later."""
        later = {"category", "merchant"}
        return [{key: each[key] for key in each.keys() - later} for each in self.history(person)]


def _unpublished(state: Any) -> bool:
    """Whether an application's outbox holds events that are still to be published."""
    database = getattr(state, "database", None)
    if database is None or getattr(state, "bus", None) is None:
        return False
    with database.session() as session:
        return session.scalar(select(OutboxEvent.sequence).where(OutboxEvent.refused.is_(None)).limit(1)) is not None


APPLICATIONS: dict[str, tuple[Callable[[Any], FastAPI], type[Settings]]] = {
    "connector": (connector_api.build, ConnectorSettings),
    "consent": (consent_api.build, ConsentSettings),
    "account": (account_api.build, AccountSettings),
    "transaction": (transaction_api.build, TransactionSettings),
    "enrichment": (enrichment_api.build, EnrichmentSettings),
    "recurring": (recurring_api.build, RecurringSettings),
    "budget": (budget_api.build, BudgetSettings),
    "forecast": (forecast_api.build, ForecastSettings),
    "notification": (notification_api.build, NotificationSettings),
    "sync": (sync_api.build, SyncSettings),
    "user": (user_api.build, UserServiceSettings),
    "document": (document_api.build, DocumentSettings),
    "help": (help_api.build, HelpSettings),
    "bank-directory": (directory_api.build, DirectorySettings),
    "privacy": (privacy_api.build, PrivacySettings),
    "audit": (audit_api.build, AuditSettings),
}
"""How each service is made."""
SUBSCRIPTIONS: dict[str, Collection[str]] = {
    "connector": connector_api.HANDLERS,
    "consent": consent_handlers.HANDLERS,
    "account": account_handlers.HANDLERS,
    "transaction": transaction_handlers.HANDLERS,
    "enrichment": enrichment_api.HANDLERS,
    "recurring": recurring_api.HANDLERS,
    "budget": budget_api.HANDLERS,
    "forecast": forecast_api.HANDLERS,
    "notification": notification_api.HANDLERS,
    "sync": sync_api.HANDLERS,
    "user": user_api.HANDLERS,
    "document": document_api.HANDLERS,
    "help": help_api.HANDLERS,
    "privacy": privacy_api.HANDLERS,
    "audit": audit_api.HANDLERS,
}
"""The event types that each handles."""


def identity(service: str) -> str:
    """Whom a service's own tokens name."""
    return f"service {service}"


def wait_until_ready(urls: Iterable[str]) -> None:
    """Until each has looked for erasures that its database lacks."""
    deadline = time.monotonic() + 60
    for url in urls:
        while httpx.get(f"{url}/healthz/ready").status_code != 200:
            assert time.monotonic() < deadline, f"{url} is not ready after 60 s"
            time.sleep(0.02)


def start(
    server: Postgres, servers: Servers, issuer: Issuer, user: dict[str, str], banks: dict[str, str], name: str
) -> tuple[dict[str, str], MemoryBus, dict[str, Any]]:
    """Base URLs of all services, each with a database and a role of its own; their bus; and their states."""
    bus = MemoryBus(dict(SUBSCRIPTIONS))
    sync_runs.SOON = datetime.timedelta(hours=6)  # no run that a test did not ask for, however long it takes
    states: dict[str, Any] = {}
    claimed = {each: servers.claim() for each in APPLICATIONS}
    urls = {each: url for each, (_, url) in claimed.items()}
    shared = {
        **user, **{f"{each.replace('-', '_')}_url": url for each, url in urls.items()},
        "bank_urls": json.dumps(banks), "uploads_url": "https://files.invalid/uploads",
        "acting_services": json.dumps([str(issuer.object_id(identity(each.name))) for each in SERVICES if each.acts]),
        "holders": json.dumps({str(issuer.object_id(identity(each))): each for each in HOLDERS}),
    }  # fmt: skip
    for each, (build, settings) in APPLICATIONS.items():
        package = each.replace("-", "_")
        given = dict(shared)
        if each == "consent":
            del given["sync_url"]  # tests synchronise when they want to
        if "database_url" in settings.model_fields:
            given["database_url"] = server.service_url(package, f"{name}_{package}")
        app = build(settings.model_validate({key: given[key] for key in settings.model_fields if key in given}))
        app.state.bus, states[each] = bus, app.state
        if each == "document":
            app.state.files = MemoryFiles()
        app.state.acting = ActingIdentity(AUDIENCE, partial(issuer.token, identity(each)))
        listener, _ = claimed[each]
        listener.listen(64)
        servers.serve(app, listener)
    wait_until_ready([urls[each] for each in HOLDERS])
    return urls, bus, states
