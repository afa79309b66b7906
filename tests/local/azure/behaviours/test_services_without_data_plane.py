"""API Management, App Service: nothing of theirs is served, and programs get their answers. A hub's rules."""

from __future__ import annotations

import base64
import json
import time
import uuid
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.local.azure.conftest import RunningAzure

APIM, HUBS, WEB, NETWORK = "2024-05-01", "2023-10-01-preview", "2025-05-01", "2024-05-01"
PLACE = {"location": "westeurope"}


@pytest.fixture(scope="module")
def group(arm: httpx.Client, azure: RunningAzure) -> Iterator[str]:
    path = f"{azure.subscription}/resourceGroups/rg-{uuid.uuid4().hex[:8]}"
    assert arm.put(path, params={"api-version": "2024-03-01"}, json=PLACE).status_code == 201
    yield path
    arm.delete(path, params={"api-version": "2024-03-01"})


def put(arm: httpx.Client, path: str, version: str, body: dict[str, Any]) -> dict[str, Any]:
    """The resource as it is once it is there."""
    answer = arm.put(path, params={"api-version": version}, json=body)
    assert answer.status_code in (200, 201, 202), answer.text
    return waited(arm, path, version, answer)


def waited(arm: httpx.Client, path: str, version: str, answer: httpx.Response) -> dict[str, Any]:
    poll, deadline = answer.headers.get("Azure-AsyncOperation"), time.monotonic() + 20
    while poll and arm.get(poll).json()["status"] == "InProgress" and time.monotonic() < deadline:
        time.sleep(0.02)
    return arm.get(path, params={"api-version": version}).json()


def service(arm: httpx.Client, group: str, **properties: Any) -> tuple[str, dict[str, Any]]:
    path = f"{group}/providers/Microsoft.ApiManagement/service/apim-{uuid.uuid4().hex[:8]}"
    body = {
        **PLACE,
        "sku": {"name": "Developer", "capacity": 1},
        "properties": {"publisherName": "t", "publisherEmail": "t@example.com", **properties},
    }
    return path, put(arm, path, APIM, body)


def document(*operations: str, named: bool = True) -> str:
    methods = dict(zip(operations, ("get", "put", "post"), strict=False))
    found = {method: {"operationId": name} if named else {} for name, method in methods.items()}
    return json.dumps({"openapi": "3.0.3", "paths": {"/consents/{id}": found}})


def imported(arm: httpx.Client, path: str, value: str) -> httpx.Response:
    body = {"properties": {"path": "banking", "format": "openapi+json", "value": value}}
    return arm.put(path, params={"api-version": APIM}, json=body)


def operations(arm: httpx.Client, api: str) -> dict[str, dict[str, Any]]:
    listed = arm.get(f"{api}/operations", params={"api-version": APIM}).json()["value"]
    return {each["name"]: each["properties"] for each in listed}


def test_an_import_makes_the_operations_of_the_document_and_removes_those_that_it_lacks(
    arm: httpx.Client, group: str
) -> None:
    api = f"{service(arm, group)[0]}/apis/banking"
    shown = waited(arm, api, APIM, imported(arm, api, document("readConsent", "endConsent")))
    assert "value" not in shown["properties"]
    made = operations(arm, api)
    assert set(made) == {"readConsent", "endConsent"}
    assert made["readConsent"]["method"] == "GET"
    assert made["readConsent"]["urlTemplate"] == "/consents/{id}"
    assert [each["name"] for each in made["readConsent"]["templateParameters"]] == ["id"]

    policy = f"{api}/operations/endConsent/policies/policy"
    body = {"properties": {"value": "<policies />", "format": "rawxml"}}
    assert arm.put(policy, params={"api-version": APIM}, json=body).status_code == 201
    waited(arm, api, APIM, imported(arm, api, document("readConsent")))
    assert set(operations(arm, api)) == {"readConsent"}
    assert arm.get(policy, params={"api-version": APIM}).status_code == 404


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (document("readConsent", named=False), "no operationId"),
        ('{"paths": {}}', "no operations"),
        ("openapi: 3.0.3", "can't be parsed"),
    ],
)
def test_a_document_that_can_not_be_imported_is_refused(arm: httpx.Client, group: str, value: str, why: str) -> None:
    refused = imported(arm, f"{service(arm, group)[0]}/apis/banking", value)
    assert refused.status_code == 400
    assert why in refused.json()["error"]["message"]


def test_an_internal_service_has_an_address_of_its_subnet(arm: httpx.Client, group: str) -> None:
    network = f"{group}/providers/Microsoft.Network/virtualNetworks/vnet"
    subnet = {"name": "gateway", "properties": {"addressPrefix": "10.0.3.0/24"}}
    space = {"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}, "subnets": [subnet]}
    put(arm, network, NETWORK, {**PLACE, "properties": space})
    where = {"subnetResourceId": f"{network}/subnets/gateway"}
    _, made = service(arm, group, virtualNetworkType="Internal", virtualNetworkConfiguration=where)
    assert made["properties"]["privateIPAddresses"] == ["10.0.3.4"]
    assert service(arm, group)[1]["properties"]["privateIPAddresses"] == []


def test_a_deleted_service_holds_its_name_until_it_is_purged(
    arm: httpx.Client, azure: RunningAzure, group: str
) -> None:
    path, made = service(arm, group)
    version = {"api-version": APIM}
    answer = arm.delete(path, params=version)
    waited(arm, path, APIM, answer)
    provider = f"{azure.subscription}/providers/Microsoft.ApiManagement"
    held = {each["name"] for each in arm.get(f"{provider}/deletedservices", params=version).json()["value"]}
    assert made["name"] in held
    body = {**PLACE, "sku": made["sku"], "properties": {"publisherName": "t", "publisherEmail": "t@example.com"}}
    assert arm.put(path, params=version, json=body).status_code == 409
    deleted = f"{provider}/locations/westeurope/deletedservices/{made['name']}"
    assert arm.get(deleted, params=version).json()["properties"]["serviceId"] == path
    assert arm.delete(deleted, params=version).status_code == 200
    assert arm.get(deleted, params=version).json()["error"]["code"] == "DeletedServiceNotFound"
    assert arm.put(path, params=version, json=body).status_code in (201, 202)


def test_an_api_management_closes_its_public_address_only_beside_a_private_endpoint(
    arm: httpx.Client, group: str
) -> None:
    version = {"api-version": APIM}
    path = f"{group}/providers/Microsoft.ApiManagement/service/apim-{uuid.uuid4().hex[:8]}"
    given = {"publisherName": "t", "publisherEmail": "t@example.com"}
    body = {**PLACE, "sku": {"name": "Standard", "capacity": 1}, "properties": given}
    closed = {**body, "properties": {**given, "publicNetworkAccess": "Disabled"}}
    refused = arm.put(path, params=version, json=closed)
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "NotSupported")
    put(arm, path, APIM, body)
    assert arm.put(path, params=version, json=closed).status_code == 400
    endpoint = f"{group}/providers/Microsoft.Network/privateEndpoints/pep-{uuid.uuid4().hex[:8]}"
    connection = {"name": "Gateway", "properties": {"privateLinkServiceId": path, "groupIds": ["Gateway"]}}
    network = f"{group}/providers/Microsoft.Network/virtualNetworks/vnet-{uuid.uuid4().hex[:8]}"
    subnet = {"name": "a", "properties": {"addressPrefix": "10.0.0.0/24"}}
    space = {"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}, "subnets": [subnet]}
    put(arm, network, NETWORK, {**PLACE, "properties": space})
    properties = {"subnet": {"id": f"{network}/subnets/a"}, "privateLinkServiceConnections": [connection]}
    put(arm, endpoint, NETWORK, {**PLACE, "properties": properties})
    assert put(arm, path, APIM, closed)["properties"]["publicNetworkAccess"] == "Disabled"


def test_a_hubs_rule_keeps_its_keys_until_one_is_regenerated_and_hands_them_out_with_its_address(
    arm: httpx.Client, group: str
) -> None:
    namespace = f"{group}/providers/Microsoft.NotificationHubs/namespaces/ntfns-{uuid.uuid4().hex[:8]}"
    made = put(arm, namespace, HUBS, {**PLACE, "sku": {"name": "Free"}})
    put(arm, f"{namespace}/notificationHubs/ntf", HUBS, {**PLACE, "properties": {}})
    rule = f"{namespace}/notificationHubs/ntf/authorizationRules/send"
    for _ in range(2):
        put(arm, rule, HUBS, {"properties": {"rights": ["Send"]}})
    answers = [arm.post(f"{rule}/listKeys", params={"api-version": HUBS}).json() for _ in range(2)]
    assert answers[0] == answers[1]
    keys = answers[0]
    assert len(base64.b64decode(keys["primaryKey"])) == 32
    assert keys["primaryKey"] != keys["secondaryKey"]
    address = made["properties"]["serviceBusEndpoint"].replace("https://", "Endpoint=sb://")
    assert keys["primaryConnectionString"].startswith(f"{address};")
    assert keys["primaryConnectionString"].endswith(f"SharedAccessKeyName=send;SharedAccessKey={keys['primaryKey']}")
    regenerate = {"params": {"api-version": HUBS}, "json": {"policyKey": "SecondaryKey"}}
    changed = arm.post(f"{rule}/regenerateKeys", **regenerate).json()
    assert changed["primaryKey"] == keys["primaryKey"]
    assert changed["secondaryKey"] not in (keys["secondaryKey"], keys["primaryKey"])
    put(arm, rule, HUBS, {"properties": {"rights": ["Send"]}})
    assert arm.post(f"{rule}/listKeys", params={"api-version": HUBS}).json() == changed
    refused = arm.post(f"{rule}/regenerateKeys", params={"api-version": HUBS}, json={"policyKey": "Other"})
    assert refused.status_code == 400


def test_an_app_and_its_slot_have_host_names(arm: httpx.Client, group: str) -> None:
    name = f"app-{uuid.uuid4().hex[:8]}"
    site = f"{group}/providers/Microsoft.Web/sites/{name}"
    app = put(arm, site, WEB, {**PLACE, "properties": {}})
    slot = put(arm, f"{site}/slots/staging", WEB, {**PLACE, "properties": {}})
    assert app["properties"]["defaultHostName"] == f"{name}.azurewebsites.net"
    assert slot["properties"]["defaultHostName"] == f"{name}-staging.azurewebsites.net"
