"""Every operation of every service, asked with what fits its document and what does not: no answer it does not tell."""

from __future__ import annotations

import uuid
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis.core.parameters import ParameterLocation
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance

from tests.workloads.files import uploaded
from tests.workloads.platform import APPLICATIONS, Platform

BUDGET = {"name": "Food", "categories": ["eating-out"], "currency": "EUR", "limit": 100, "start": "2026-01"}
MODES = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
EXAMPLES = 30
BEYOND_SCHEMAS = {
    "listConnectableBanks": "a BIC of a country that there is",
    "replacePreferences": "a time zone that there is",
    "changeProfile": "a time zone that there is",
    "changeName": "a name that can be seen, and has a letter",
    "uploadDocument": "a file of a kind that is kept, a name that can be shown",
    "listDocumentMatches": "a day that a receipt can be of",
    "correctAssignment": "a category that there is",
    "createRule": "a category that there is",
    "createBudget": "categories that there are, each once",
    "replaceBudget": "categories that there are, each once",
    "listTransactions": "a cursor that an earlier page returned",
    "startBankConsent": "that the person is there, and what the bank wants beforehand",
}
"""What an operation refuses though its schema fits: the rule that a schema can't say."""


def known_to(platform: Platform, person: str, service: str) -> dict[str, str]:
    """Things of the person's, by the names that paths have for them: a random id is never one."""
    found = {"bank": "aurora", "bank_id": "aurora", "article_id": "connect-a-bank", "month": "2026-11"}
    if service in ("account", "transaction", "enrichment", "sync", "recurring", "consent", "connector"):
        consent = platform.connect(person, "aurora")
        platform.synchronise(person)
        platform.settle()
        account = platform.call(person, "account", "GET", "/accounts")["accounts"][0]
        of_bank = service == "connector"
        found["consent_id"] = account["bank_consent_id"] if of_bank else consent["id"]
        found["account_id"] = account["bank_account_id"] if of_bank else account["id"]
        found["transaction_id"] = platform.history(person)[0]["id"]
    if service == "budget":
        found["budget_id"] = platform.call(person, "budget", "POST", "/budgets", 201, json=BUDGET)["id"]
    if service == "document":
        found["document_id"] = uploaded(platform, person)["id"]
    if service == "help":
        asked = {"subject": "Why", "text": "Why?"}
        found["ticket_id"] = platform.call(person, "help", "POST", "/tickets", 201, json=asked)["id"]
    if service == "notification":
        phone = {"platform": "fcmv1", "channel": "somebody-s-phone"}
        found["device_id"] = platform.call(person, "notification", "POST", "/devices", 201, json=phone)["id"]
    return found


@pytest.mark.full
@pytest.mark.parametrize("service", sorted(APPLICATIONS))
def test_no_operation_answers_otherwise_than_its_document_says(platform: Platform, service: str) -> None:
    person, url = f"any-{uuid.uuid4()}", platform.urls[service]
    known = known_to(platform, person, service)
    schema = schemathesis.openapi.from_dict(httpx.get(f"{url}/openapi.json").json())
    every: Any = schema.get_all_operations()
    for found in every:
        operation = found.ok()
        if not operation.path.startswith("/healthz/"):
            _try(operation, url, platform.issuer.token(person), known)


def _try(operation: Any, url: str, token: str, known: dict[str, str]) -> None:
    strategy = st.one_of([operation.as_strategy(generation_mode=mode) for mode in MODES])

    # The same examples each time: what another seed finds is no fault of the change that is tested.
    @settings(
        max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), database=None, derandomize=True
    )
    @given(case=strategy, mine=st.booleans())
    def run(case: Any, mine: bool) -> None:
        if mine and case.meta.generation.mode == GenerationMode.POSITIVE:
            case.path_parameters |= {name: known[name] for name in case.path_parameters if name in known}
        case.call_and_validate(
            base_url=url,
            headers={"Authorization": f"Bearer {token}"},
            excluded_checks=_inapplicable(case),
            timeout=60,
        )

    run()


def _inapplicable(case: Any) -> list[Any]:
    """The checks that can't judge a case: what is negative in it is the token, which is ours, or a query's own name."""
    body = case.meta.components.get(ParameterLocation.BODY)
    left_out = [] if body and body.mode == GenerationMode.NEGATIVE else [negative_data_rejection]
    operation, address = case.operation.definition.raw["operationId"], "psu-ip-address" in (case.headers or {})
    return [*left_out, positive_data_acceptance] if operation in BEYOND_SCHEMAS or address else left_out
