"""All services over real HTTP, with two sandbox banks: what the end-to-end tests drive."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any, Protocol

import httpx

from tests.workloads.servers import Issuer, Postgres, Servers
from workloads.services.account import api as account_api
from workloads.services.account.settings import AccountSettings
from workloads.services.connector import api as connector_api
from workloads.services.connector.settings import ConnectorSettings
from workloads.services.consent import api as consent_api
from workloads.services.consent.settings import ConsentSettings
from workloads.services.transaction import api as transaction_api
from workloads.services.transaction.settings import TransactionSettings

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

    def call(self, person: str, service: str, method: str, path: str, expect: int = 200, **options: Any) -> Any:
        headers = {"Authorization": f"Bearer {self.issuer.token(person)}", **options.pop("headers", {})}
        response = httpx.request(method, self.urls[service] + path, headers=headers, timeout=30, **options)
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

    def connect(self, person: str, bank: str, **at_bank: str) -> dict[str, Any]:
        """A consent, authorised; as it stands afterwards."""
        started = self.start(person, bank)
        self.authorise(started["authorise_at"], **at_bank)
        return self.call(person, "consent", "POST", f"/consents/{started['id']}/refresh")

    def synchronise(self, person: str, *, attended: bool = True) -> dict[str, Any]:
        return self.call(person, "transaction", "POST", "/synchronisations", json={"attended": attended})

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


def start(
    server: Postgres, servers: Servers, issuer: Issuer, user: dict[str, str], banks: dict[str, str], name: str
) -> dict[str, str]:
    """Base URLs of the four services, each with a database and a role of its own."""
    names = ("connector", "consent", "account", "transaction")
    data = {each: server.service_url(each, f"{name}_{each}") for each in names}
    claimed = {each: servers.claim() for each in names}
    urls = {each: url for each, (_, url) in claimed.items()}
    base = {key: value for key, value in user.items() if key != "data_key"}
    apps = {
        "connector": connector_api.build(
            ConnectorSettings.model_validate(
                {"database_url": data["connector"], "bank_urls": json.dumps(banks), **user}
            )
        ),
        "consent": consent_api.build(
            ConsentSettings(database_url=data["consent"], connector_url=urls["connector"], **base)
        ),
        "account": account_api.build(
            AccountSettings(
                database_url=data["account"], consent_url=urls["consent"], connector_url=urls["connector"], **user
            )
        ),
        "transaction": transaction_api.build(
            TransactionSettings(
                database_url=data["transaction"], account_url=urls["account"], connector_url=urls["connector"], **base
            )
        ),
    }
    for each in names:
        listener, _ = claimed[each]
        listener.listen(64)
        servers.serve(apps[each], listener)
    return urls
