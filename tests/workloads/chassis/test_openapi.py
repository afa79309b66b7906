"""Each service's OpenAPI document can be built on: stable operation ids, examples, problems for errors."""

from __future__ import annotations

import json
from typing import Any

import httpx
import jsonschema
import pytest

from tests.workloads.platform import APPLICATIONS, Platform

SERVICES = {
    "connector": {"listBanks", "startBankConsent", "getBankConsentStatus", "deleteBankConsent", "listBankAccounts",
                  "listBankTransactions", "getBankAuthorisation", "sendBankPassword", "selectBankScaMethod",
                  "sendBankOtp", "sendBankAuthorisationCode"},
    "consent": {"startConsent", "listConsents", "getConsent", "listConsentEvidence",
                "refreshConsent", "revokeConsent", "getAuthorisation", "sendPassword", "selectScaMethod", "sendOtp",
                "sendAuthorisationCode"},
    "account": {"listAccounts", "getAccount", "listAccountNumbers", "refreshAccounts"},
    "transaction": {"listTransactions", "getTransaction", "synchronise", "deleteTransaction", "restoreTransaction",
                    "listTransactionChanges", "listMatchSuggestions", "decideMatchSuggestion"},
    "enrichment": {"listCategories", "listCorrections", "getAssignment", "correctAssignment", "withdrawCorrection",
                   "listRules", "createRule", "deleteRule", "getSpending"},
    "recurring": {"listSeries", "getSeries", "changeSeries", "listExpected"},
    "budget": {"listBudgets", "createBudget", "getBudget", "replaceBudget", "deleteBudget", "listBudgetMonths",
               "limitBudgetMonth"},
    "forecast": {"getForecast", "makeForecast"},
    "sync": {"getSchedule", "replaceSchedule", "getQuota", "listRuns", "startRun"},
    "user": {"getProfile", "changeProfile", "getName", "changeName"},
    "document": {"uploadDocument", "listDocuments", "getDocument", "getDocumentContent", "deleteDocument",
                 "attachDocument", "detachDocument", "listDocumentMatches"},
    "help": {"listArticles", "getArticle", "listTickets", "openTicket", "getTicket", "replyToTicket", "closeTicket"},
    "bank-directory": {"listConnectableBanks", "getBank"},
    "privacy": {"exportEverything", "requestErasure", "getErasure", "listDueErasures"},
    "audit": {"listAuditEntries"},
    "notification": {"listNotifications", "markNotificationRead", "getPreferences", "replacePreferences",
                     "listDevices", "registerDevice", "removeDevice"},
}  # fmt: skip
HEALTH = {"getLiveness", "getReadiness", "getStartup"}


def document(platform: Platform, service: str) -> dict[str, Any]:
    assert set(SERVICES) == set(APPLICATIONS)
    return httpx.get(f"{platform.urls[service]}/openapi.json").json()


def references(node: Any) -> set[str]:
    if isinstance(node, dict):
        own = {node["$ref"]} if isinstance(node.get("$ref"), str) else set()
        return own.union(*map(references, node.values()))
    return set[str]().union(*map(references, node)) if isinstance(node, list) else set()


@pytest.mark.parametrize("service", sorted(SERVICES))
def test_operations_have_stable_ids_and_tell_their_errors_as_problems(platform: Platform, service: str) -> None:
    told = document(platform, service)
    operations = [op for path in told["paths"].values() for op in path.values()]
    assert {each["operationId"] for each in operations} == SERVICES[service] | HEALTH, (
        "clients are generated from these"
    )
    for operation in operations:
        assert operation.get("summary")
        for status, response in operation["responses"].items():
            if not status.startswith("2"):
                assert list(response["content"]) == ["application/problem+json"], (operation["operationId"], status)
        if operation["operationId"] not in HEALTH:
            [[scopes]] = [each.values() for each in operation["security"]]
            for_services = operation["operationId"] == "listDueErasures"
            assert for_services or scopes, "every operation needs a person's token that grants it"
    schemas = told["components"]["schemas"]
    assert {each.rpartition("/")[2] for each in references(told)} <= set(schemas)
    assert '"examples"' in json.dumps(schemas)


@pytest.mark.parametrize("service", sorted(SERVICES))
def test_every_example_is_of_its_own_schema(platform: Platform, service: str) -> None:
    told = document(platform, service)

    def check(node: Any) -> int:
        if isinstance(node, list):
            return sum(map(check, node))
        if not isinstance(node, dict):
            return 0
        found = 0
        if isinstance(node.get("examples"), list) and ({"type", "anyOf", "$ref"} & set(node)):
            for example in node["examples"]:
                jsonschema.validate(example, {**node, "components": told["components"]})
                found += 1
        return found + sum(check(each) for name, each in node.items() if name != "examples")

    assert check(told["components"]["schemas"]) >= 3


def test_what_a_client_gets_is_what_the_document_says(platform: Platform) -> None:
    person = "openapi"
    platform.connect(person, "aurora")
    platform.synchronise(person)
    for service, path in (("transaction", "/transactions"), ("account", "/accounts"), ("consent", "/consents")):
        told = document(platform, service)
        schema = told["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
        answer = platform.call(person, service, "GET", path)
        jsonschema.validate(answer, {**schema, "components": told["components"]})
