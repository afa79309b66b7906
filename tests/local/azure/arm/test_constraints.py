"""The constraint catalogue in ARM's own form: each constraint in process, some through the running endpoint."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import httpx
import pytest

from local.azure.arm import constraints
from local.azure.arm.database import connect
from local.azure.arm.ids import parse
from local.azure.arm.store import LocalStore
from local.azure.arm.types import Type, by_token
from local.azure.context import ArmError, Resource
from policies.constraints.constraint import Constraint
from policies.constraints.constraint import constraints as catalogue
from policies.rules.constraints import changed
from tests.local.azure.arm.test_requests import group, send

__all__ = ["group"]
VERSIONS = {"Microsoft.ContainerRegistry": "2023-01-01-preview", "Microsoft.ServiceBus": "2026-01-01"}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> LocalStore:
    return LocalStore(connect(tmp_path_factory.mktemp("constraints") / "azure.db"), range(0))


def kind_of(token: str) -> Type:
    found = by_token(token)
    assert found, f"{token} is not in the table of types"
    return found


def sent(kind: Type, inputs: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """Id and body of a request with these inputs; what the example does not name is named somehow."""
    scopes = dict.fromkeys(("scope", "resourceUri"), "subscriptions/it")
    own = {each: scopes.get(each) or kind.names.get(each, {}).get("enum", ["it"])[0] for each in kind.parameters}
    return kind.to_arm({**own, **inputs})


def refusals(store: LocalStore, constraint: Constraint, inputs: Mapping[str, Any], previous: bool) -> list[str]:
    kind = kind_of(constraint.type)
    own = {key: value for key, value in inputs.items() if key != "related"}
    path, body = sent(kind, own)
    if constraint.related:
        other = kind_of(constraint.related["type"])
        by = constraint.related["by"]
        named = {other.name_parameter or "": own[by]} if by in kind.parameters else {}
        other_id, other_body = sent(other, {**inputs["related"], **named})
        store.put(Resource(other_id, other_id.rsplit("/", 1)[1], other.type, other_body))
        if by not in kind.parameters:
            linked = [{**own[by][0], "privateLinkServiceId": other_id}] if isinstance(own[by], list) else other_id
            path, body = sent(kind, {**own, by: linked})
    before = Resource(path, "it", kind.type, sent(kind, constraint.passes)[1]) if previous else None
    try:
        constraints.check(store, parse(path), kind, body, before)
    except ArmError as error:
        return [str(each["message"]) for each in error.details if constraint.id in each["message"]]
    return []


@pytest.mark.parametrize("constraint", catalogue(), ids=lambda each: each.id)
def test_each_constraint_refuses_its_failing_examples_and_no_other(store: LocalStore, constraint: Constraint) -> None:
    kind = kind_of(constraint.type)
    assert refusals(store, constraint, constraint.passes, constraint.immutable) == []
    for path, wrong in constraint.fails.items():
        found = refusals(store, constraint, changed(constraint.passes, path, wrong), constraint.immutable)
        replaced = constraint.immutable and kind.fixed_at_creation(path)
        assert len(found) == (0 if replaced else 1), path
        assert all(constraint.source in each for each in found)


@pytest.mark.parametrize("constraint", [each for each in catalogue() if each.immutable], ids=lambda each: each.id)
def test_what_is_fixed_is_a_property_of_the_type(constraint: Constraint) -> None:
    kind = kind_of(constraint.type)
    for path in constraint.paths:
        wire = kind.wire_path(path)
        assert kind.from_arm("/it", _nested(wire, "x")), path
        assert wire.rsplit(".", 1)[-1] in str(
            kind.to_arm({**dict.fromkeys(kind.parameters, "it"), **_nested(path, "x")})[1]
        )


def _nested(path: str, value: Any) -> dict[str, Any]:
    for step in reversed(path.split(".")):
        value = {step: value}
    return value


def test_a_request_and_its_dry_run_are_refused_with_the_rule_and_its_source(arm: httpx.Client, group: str) -> None:
    path = f"{group}/providers/Microsoft.ContainerRegistry/registries/crconstraints"
    (registry_zones,) = (each for each in catalogue() if each.id == "TRB-AZURE-001")
    body = {"location": "westeurope", "sku": {"name": "Basic"}, "properties": {"zoneRedundancy": "Enabled"}}
    for query in ({}, {"dryRun": "All"}):
        answer = arm.put(path, params={"api-version": VERSIONS["Microsoft.ContainerRegistry"], **query}, json=body)
        assert answer.status_code == 400
        detail = answer.json()["error"]["details"][0]
        assert (detail["code"], detail["target"]) == ("AzureConstraint", "sku.name")
        assert detail["message"].startswith("TRB-AZURE-001: Zone redundancy of a registry needs Premium.")
        assert registry_zones.source in detail["message"]
    found = arm.get(path, params={"api-version": VERSIONS["Microsoft.ContainerRegistry"]})
    assert found.status_code == 404


def test_what_a_resource_belongs_to_is_judged_as_it_is_stored(arm: httpx.Client, group: str) -> None:
    version = {"api-version": VERSIONS["Microsoft.ServiceBus"]}
    namespace = f"{group}/providers/Microsoft.ServiceBus/namespaces/sb-constraints"
    assert arm.put(namespace, params=version, json={"location": "westeurope", "sku": {"name": "Standard"}}).is_success
    large = {"properties": {"maxMessageSizeInKilobytes": 1024}}
    answer = arm.put(f"{namespace}/queues/large", params=version, json=large)
    assert answer.status_code == 400
    assert "need a Premium namespace" in answer.text
    assert arm.put(f"{namespace}/queues/small", params=version, json={"properties": {}}).is_success


def test_what_can_never_be_taken_back_is_refused_in_the_preview_too(arm: httpx.Client, group: str, azure: Any) -> None:
    path = f"{group}/providers/Microsoft.KeyVault/vaults/kv-constraints-1"
    properties = {
        "tenantId": azure.deployer["tenant_id"],
        "sku": {"family": "A", "name": "standard"},
        "enableRbacAuthorization": True,
        "softDeleteRetentionInDays": 7,
    }
    made = send(arm, "PUT", path, {"location": "westeurope", "properties": properties})
    assert made.is_success, made.text
    longer = {"location": "westeurope", "properties": {**properties, "softDeleteRetentionInDays": 90}}
    answer = send(arm, "PUT", path, longer, dryRun="All")
    assert answer.status_code == 400
    assert "can be configured one time only" in answer.text
