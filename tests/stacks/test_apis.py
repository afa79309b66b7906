"""What the gateway offers is what services do, behind a token, and nothing that is not meant for apps."""

from __future__ import annotations

import importlib
import json
import re
from functools import cache
from xml.etree import ElementTree

import pytest
from fastapi import FastAPI

from components.gateway_apis import operation_name
from stacks.apis import document, operations_by_scopes
from stacks.identity import SCOPES
from stacks.services import SERVICES
from tests.components.secrets import revealed
from tests.stacks.program import ROOT, STACKS, deployed
from workloads.chassis.calls import PSU_ADDRESS
from workloads.chassis.identity import ACTING_FOR
from workloads.chassis.scopes import Scope

PUBLIC = {each.name: each for each in SERVICES if each.public}


def offered() -> dict[str, tuple[str, str]]:
    """Method and path by operationId."""
    return {
        operation["operationId"]: (method.upper(), path)
        for path, item in document()["paths"].items()
        for method, operation in item.items()
        if method != "parameters"
    }


@cache
def application(package: str) -> FastAPI:
    app = FastAPI()
    app.include_router(importlib.import_module(f"workloads.services.{package}.api").router)
    return app


def done_by(package: str) -> dict[str, tuple[str, str]]:
    return {
        operation["operationId"]: (method.upper(), path)
        for path, item in application(package).openapi()["paths"].items()
        for method, operation in item.items()
    }


def test_every_operation_that_is_offered_is_one_of_a_public_services() -> None:
    done: dict[str, tuple[str, str]] = {}
    for service in PUBLIC.values():
        done |= done_by(service.package)
    assert {each: done.get(each) for each in offered()} == offered()


def demanded(app: FastAPI) -> dict[str, set[str]]:
    """Scopes by operationId."""
    return {
        operation["operationId"]: {scope for each in operation.get("security", []) for scope in each["HTTPBearer"]}
        for item in app.openapi()["paths"].values()
        for operation in item.values()
    }


def test_an_operation_demands_the_same_scopes_of_a_token_at_the_gateway_and_in_its_service() -> None:
    offers = {each: set(scopes) for scopes, operations in operations_by_scopes().items() for each in operations}
    assert set(offers) == set(offered())
    done: dict[str, set[str]] = {}
    for service in PUBLIC.values():
        done |= demanded(application(service.package))
    assert {each: done[each] for each in offers} == offers
    assert set().union(*offers.values()) == set(SCOPES) == set(Scope), "people are asked for what is demanded"


@pytest.mark.parametrize("stack", STACKS)
def test_nobody_says_at_which_address_they_are_or_for_whom_they_act(stack: str) -> None:
    """Banks are told a person's address, and services whom another service acts for, in headers of their own."""
    inbound = ElementTree.fromstring(policy(stack)).find("inbound")
    assert inbound is not None
    headers = {each.get("name"): each for each in inbound.findall("set-header")}
    assert headers[ACTING_FOR].get("exists-action") == "delete"
    assert headers[PSU_ADDRESS].get("exists-action") == "override"
    told = headers[PSU_ADDRESS].findtext("value") or ""  # what it says: test_policy_expressions.py
    assert ("X-Forwarded-For" in told) == bool(deployed(stack).of("network:ApplicationGateway")), "an edge writes it"


@pytest.mark.parametrize("stack", STACKS)
def test_the_gateway_refuses_a_token_that_grants_too_little(stack: str) -> None:
    inbound = ElementTree.fromstring(policy(stack)).find("inbound")
    assert inbound is not None
    tags = [each.tag for each in inbound]
    assert tags.index("validate-jwt") < tags.index("choose") < tags.index("set-backend-service")
    refused: dict[tuple[str, ...], list[str]] = {}
    for each in inbound.findall("choose/when"):
        condition = re.fullmatch(
            r"@\(new\[\] \{ (.+) \}\.Contains\(context\.Operation\.Id\.ToLowerInvariant\(\)\)"
            r" && new\[\] \{ (.+) \}\.Except\(\(\(Jwt\)context\.Variables\[\"token\"\]\)"
            r"\.Claims\.GetValueOrDefault\(\"scp\", \"\"\)\.Split\(' '\)\)\.Any\(\)\)",
            each.get("condition", ""),
        )
        assert condition
        operations, scopes = (json.loads(f"[{part}]") for part in condition.groups())
        refused[tuple(scopes)] = operations
        status, challenge = each.find("return-response/set-status"), each.findtext("return-response/set-header/value")
        assert status is not None
        assert (status.get("code"), challenge) == (
            "403",
            f'Bearer error="insufficient_scope", scope="{" ".join(scopes)}"',
        )
        assert json.loads(each.findtext("return-response/set-body") or "")["scope"] == " ".join(scopes)
    assert refused == {scopes: list(map(operation_name, each)) for scopes, each in operations_by_scopes().items()}


def test_each_path_leads_to_the_service_that_answers_it() -> None:
    for service in PUBLIC.values():
        for operation, (_, path) in done_by(service.package).items():
            if operation in offered():
                leading = [each.name for each in PUBLIC.values() if path.startswith(each.paths)]
                assert leading == [service.name], path


def policy(stack: str) -> str:
    return revealed(deployed(stack).one("apimanagement:ApiPolicy").inputs["value"])


@pytest.mark.parametrize("stack", STACKS)
def test_no_request_passes_without_a_token_of_the_issuer_for_the_audience(stack: str) -> None:
    # Policy expressions are C#, of which quotes in attributes are escaped here: the document is plain XML.
    inbound = ElementTree.fromstring(policy(stack)).find("inbound")
    assert inbound is not None
    names = [each.tag for each in inbound]
    assert names.index("cors") < names.index("validate-jwt") < names.index("rate-limit-by-key")
    assert names[-1] == "set-backend-service"
    token = inbound.find("validate-jwt")
    assert token is not None
    issuer = token.findtext("issuers/issuer")
    assert (token.findtext("audiences/audience"), token.get("header-name")) == ("{{token-audience}}", "Authorization")
    named = deployed(stack).one(":NamedValue", "main-token-audience")
    registers = deployed(stack).of(":GraphObject")
    assert named.inputs["value"] == (f"client of tributary-{stack}-api" if registers else "api://tributary")
    assert named.urn in deployed(stack).one("apimanagement:ApiPolicy").after, (
        "Azure looks it up when it takes the policy"
    )
    assert issuer is not None
    assert issuer.startswith("https://")
    config = token.find("openid-config")
    assert config is not None
    assert config.get("url") == f"{issuer}/.well-known/openid-configuration"
    assert not re.search(r"\$[a-z]", policy(stack)), "a placeholder is left"


def test_the_web_app_may_send_every_header_that_an_operation_asks_for() -> None:
    """A browser sends no other to another origin."""
    cors = ElementTree.fromstring(policy("prod")).find("inbound/cors")
    assert cors is not None
    allowed = {each.text for each in cors.findall("allowed-headers/header")}
    asked = {
        parameter["name"]
        for service in PUBLIC.values()
        for item in application(service.package).openapi()["paths"].values()
        for operation in item.values()
        for parameter in operation.get("parameters", [])
        if parameter["in"] == "header" and operation["operationId"] in offered()
    }
    assert asked
    assert {"authorization", "content-type"} | asked <= allowed
    methods = {each.text for each in cors.findall("allowed-methods/method")}
    assert {method for method, _ in offered().values()} <= methods


@pytest.mark.parametrize("stack", ["dev", "prod"])
def test_the_gateway_takes_the_issuer_as_external_ids_tokens_name_it(stack: str) -> None:
    issuer = re.search("<issuer>(.*)</issuer>", policy(stack))
    assert issuer
    assert re.fullmatch(r"https://([0-9a-f-]{36})\.ciamlogin\.com/\1/v2\.0", issuer[1])


def test_people_are_told_the_issuer_in_the_same_form() -> None:
    for path in ("docs/deploy.md", "Pulumi.dev.yaml", "Pulumi.prod.yaml", "components/identity.py"):
        told = re.findall(r"https://([^/]+)\.ciamlogin\.com/([^/]+)/v2\.0", (ROOT / path).read_text())
        assert told, path
        assert all(host == tenant for host, tenant in told), path


@pytest.mark.parametrize("stack", STACKS)
def test_the_api_that_is_imported_is_the_document(stack: str) -> None:
    api = deployed(stack).one("apimanagement:Api").inputs
    imported = json.loads(api["value"])
    schemes = imported.pop("components")["securitySchemes"]
    assert imported == document()
    assert schemes["person"]["openIdConnectUrl"].startswith("https://")
    assert (api["path"], api["apiVersion"], api["subscriptionRequired"]) == ("banking", "v1", False)


@pytest.mark.parametrize("stack", STACKS)
def test_what_is_the_same_for_everybody_is_remembered_and_nothing_else(stack: str) -> None:
    found = deployed(stack)
    remembered = found.one("apimanagement:ApiOperationPolicy")
    assert remembered.inputs["operationId"] == operation_name("listConnectableBanks")
    document = ElementTree.fromstring(remembered.inputs["value"])
    inbound, outbound = document.find("inbound"), document.find("outbound")
    assert inbound is not None
    assert outbound is not None
    # The token is judged before an answer is looked up, and an answer is kept before it is marked as not to be kept.
    assert [each.tag for each in inbound] == ["base", "cache-lookup"]
    assert [each.tag for each in outbound] == ["cache-store", "base"]
    assert "cache-" not in policy(stack)


@pytest.mark.parametrize("stack", STACKS)
def test_partners_have_a_quota_of_their_own_subscription(stack: str) -> None:
    document = ElementTree.fromstring(deployed(stack).one("apimanagement:ProductPolicy").inputs["value"])
    quota = document.find("inbound/quota-by-key")
    assert quota is not None
    assert (quota.get("calls"), quota.get("counter-key")) == ("100000", "@(context.Subscription.Id)")
