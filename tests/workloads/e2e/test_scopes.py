"""A token opens what the person let its bearer do, and nothing else: all operations of all services are tried."""

from __future__ import annotations

import re
import uuid
from collections.abc import Sequence
from typing import Any

import httpx
import pytest

from tests.workloads.e2e.test_isolation import BODIES, QUERIES
from tests.workloads.platform import APPLICATIONS, Platform, identity
from workloads.chassis.scopes import Scope

FOR_SERVICES = {"listDueErasures"}
"""An operation that is no person's."""
CONSENT = {"bank": "aurora", "return_address": "https://app.example/return"}
ASKED = BODIES | {
    ("consent", "/consents"): CONSENT,
    ("budget", "/budgets"): BODIES["budget", "/budgets/{budget_id}"],
    ("enrichment", "/rules"): {"words": ["backhaus"], "category": "sport"},
    ("help", "/tickets"): {"subject": "Why", "text": "Why?"},
}


def operations(http: httpx.Client) -> list[tuple[str, str, dict[str, Any]]]:
    paths = http.get("/openapi.json").json()["paths"]
    return [
        (method.upper(), path, operation)
        for path, item in paths.items()
        for method, operation in item.items()
        if not path.startswith("/healthz/") and operation["operationId"] not in FOR_SERVICES
    ]


class Person:
    """Asks each operation with a token that grants what a test says."""

    def __init__(self, platform: Platform, service: str) -> None:
        self.platform, self.service, self.name = platform, service, f"{service}-{uuid.uuid4()}"
        self.http = httpx.Client(base_url=platform.urls[service], timeout=60)

    def ask(self, method: str, template: str, scopes: Sequence[str]) -> httpx.Response:
        values = {"bank": "aurora", "bank_id": "aurora", "article_id": "connect-a-bank", "month": "2026-11"}
        path = re.sub(r"\{(\w+)\}", lambda m: values.get(m[1], str(uuid.uuid4())), template)
        issuer: Any = self.platform.issuer
        headers = {"Authorization": f"Bearer {issuer.token(self.name, scp=' '.join(scopes))}"}
        body = ASKED.get((self.service, template), {"attended": True}) if method in ("POST", "PUT", "PATCH") else None
        asked = QUERIES.get((self.service, template))
        return self.http.request(method, path, json=body, params=asked, headers=headers)


@pytest.mark.parametrize("service", sorted(APPLICATIONS))
def test_every_operation_is_refused_without_its_scopes_and_open_with_them_alone(
    platform: Platform, service: str
) -> None:
    """With them alone: what it asks of other services with the same token is granted, too."""
    person = Person(platform, service)
    for method, path, operation in operations(person.http):
        [demanded] = operation["security"][0].values()
        assert demanded, f"{method} {path} demands nothing"
        assert "403" in operation["responses"]
        for lacking in demanded:
            granted = [each for each in Scope if each != lacking]
            refused = person.ask(method, path, granted)
            assert refused.status_code == 403, f"{method} {path} without {lacking}: {refused.status_code}"
            assert refused.headers["content-type"] == "application/problem+json"
            challenge = re.fullmatch(
                'Bearer error="insufficient_scope", scope="([^"]+)"', refused.headers["www-authenticate"]
            )
            assert challenge
            assert lacking in challenge[1].split()
            assert (refused.json()["type"], refused.json()["scope"]) == ("/problems/insufficient-scope", challenge[1])
        opened = person.ask(method, path, demanded)
        assert opened.status_code not in (401, 403), f"{method} {path} with {demanded}: {opened.text}"
        assert opened.status_code < 500, f"{method} {path}: {opened.text}"


def test_a_partners_app_that_reads_accounts_reaches_no_consent(platform: Platform) -> None:
    person = Person(platform, "consent")
    platform.connect(person.name, "aurora")
    for method, path in (("GET", "/consents"), ("POST", "/consents"), ("DELETE", "/consents/{consent_id}")):
        assert person.ask(method, path, [Scope.ACCOUNTS_READ]).status_code == 403


def test_a_service_that_acts_needs_no_scope(platform: Platform) -> None:
    issuer: Any = platform.issuer
    token = issuer.token(identity("sync"), scp=None)
    headers = {"Authorization": f"Bearer {token}", "Acting-For": str(issuer.pseudonym("acted for"))}
    assert httpx.get(f"{platform.urls['account']}/accounts", headers=headers).status_code == 200
