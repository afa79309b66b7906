"""What ARM refuses and how, what it keeps, and that nothing is lost: plain requests against the running daemon."""

from __future__ import annotations

import concurrent.futures
import json
import sqlite3
import time
import uuid
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from bootstrap.pipelines import only_assigns
from local.instance import TENANT_ID

VERSIONS = {
    "Microsoft.Network": "2024-05-01",
    "Microsoft.Storage": "2024-01-01",
    "Microsoft.KeyVault": "2024-11-01",
    "Microsoft.ManagedIdentity": "2023-01-31",
    "Microsoft.Insights": "2020-02-02",
    "Microsoft.Authorization": "2022-04-01",
    "Microsoft.OperationalInsights": "2023-09-01",
}
READER = "acdd72a7-3385-48ef-bd42-f606fba81ae7"
OWNER = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"
ACCESS_ADMINISTRATOR = "f58310d9-a9f6-439a-9e8d-f62e7b41a168"
NETWORK: dict[str, Any] = {
    "location": "westeurope",
    "properties": {"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}},
}


@pytest.fixture
def group(arm: httpx.Client, azure: Any) -> Iterator[str]:
    path = f"{azure.subscription}/resourceGroups/rg-{uuid.uuid4().hex[:8]}"
    assert arm.put(path, params={"api-version": "2024-03-01"}, json={"location": "westeurope"}).status_code == 201
    yield path
    arm.delete(path, params={"api-version": "2024-03-01"})


def send(arm: httpx.Client, method: str, path: str, body: Any = None, **query: str) -> httpx.Response:
    """A request of the version that the table pins, waited for."""
    provider = path.rsplit("/providers/", 1)[1].split("/")[0]
    answer = arm.request(method, path, params={"api-version": VERSIONS[provider], **query}, json=body)
    poll = answer.headers.get("Azure-AsyncOperation")
    deadline = time.monotonic() + 20
    while poll and (state := arm.get(poll).json())["status"] == "InProgress" and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not poll or state["status"] in ("Succeeded", "Failed")
    return answer


def test_every_wrong_property_is_named_at_once(arm: httpx.Client, group: str) -> None:
    body = {
        "location": "westeurop",
        "properties": {
            "addressSpaces": {},
            "provisioningState": "Succeeded",
            "encryption": {"enabled": "yes", "enforcement": "Sometimes"},
            "subnets": [{"name": "a", "properties": {"addressPrefix": 5}}],
        },
    }
    answer = send(arm, "PUT", f"{group}/providers/Microsoft.Network/virtualNetworks/vn", body)
    assert answer.status_code == 400
    error = answer.json()["error"]
    assert error["code"] == "InvalidRequestContent"
    assert {each["target"]: each["code"] for each in error["details"]} == {
        "properties.addressSpaces": "UnknownProperty",
        "properties.provisioningState": "ReadOnlyProperty",
        "properties.encryption.enabled": "InvalidPropertyType",
        "properties.encryption.enforcement": "InvalidPropertyValue",
        "properties.subnets[0].properties.addressPrefix": "InvalidPropertyType",
        "location": "LocationNotAvailableForResourceType",
    }


@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        ("Microsoft.Storage/storageAccounts/No_Good", {"location": "westeurope"}, 400, "InvalidRequestContent"),
        ("Microsoft.Network/virtualNetworks/vn", {"properties": {}}, 400, "MissingRequiredProperty"),
        ("Microsoft.Network/virtualNetworks/none/subnets/s", {"properties": {}}, 404, "ParentResourceNotFound"),
        ("Microsoft.Network/trafficManagers/t", {"location": "westeurope"}, 404, "InvalidResourceType"),
        ("Microsoft.Network/virtualNetworks/vn", [], 400, "InvalidRequestContent"),
    ],
)
def test_what_is_wrong_has_azures_code(
    arm: httpx.Client, group: str, path: str, body: Any, status: int, code: str
) -> None:
    answer = send(arm, "PUT", f"{group}/providers/{path}", body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)


def test_a_missing_or_unlisted_api_version_is_refused(arm: httpx.Client, group: str) -> None:
    path = f"{group}/providers/Microsoft.Network/virtualNetworks/vn"
    assert arm.get(path).json()["error"]["code"] == "MissingApiVersionParameter"
    unlisted = arm.get(path, params={"api-version": "1999-01-01"}).json()["error"]
    assert unlisted["code"] == "NoRegisteredProviderFound"
    assert "2024-05-01" in unlisted["message"]


def test_another_listed_version_may_say_more_and_it_is_kept(arm: httpx.Client, group: str) -> None:
    path = f"{group}/providers/Microsoft.Network/virtualNetworks/newer"
    body = {**NETWORK, "properties": {**NETWORK["properties"], "fromTheFuture": {"a": 1}}}
    arm.put(path, params={"api-version": "2025-01-01"}, json=body)
    assert arm.get(path, params={"api-version": "2025-01-01"}).json()["properties"]["fromTheFuture"] == {"a": 1}
    wrong = arm.put(path, params={"api-version": "2025-01-01"}, json={"location": 5})
    assert wrong.json()["error"]["code"] == "InvalidPropertyType"


def test_what_is_fixed_at_creation_stays(arm: httpx.Client, group: str) -> None:
    path = f"{group}/providers/Microsoft.Network/virtualNetworks/fixed"
    send(arm, "PUT", path, NETWORK)
    moved = send(arm, "PUT", path, {**NETWORK, "location": "northeurope"})
    assert (moved.status_code, moved.json()["error"]["code"]) == (409, "InvalidResourceLocation")
    assert send(arm, "PUT", path, {**NETWORK, "location": "West Europe"}).status_code == 200


def test_what_was_read_may_be_written_back(arm: httpx.Client, group: str) -> None:
    path = f"{group}/providers/Microsoft.Network/virtualNetworks/again"
    inline = {"name": "a", "properties": {"addressPrefix": "10.0.1.0/24", "routeTable": None}}
    send(arm, "PUT", path, {**NETWORK, "properties": {**NETWORK["properties"], "subnets": [inline]}})
    read = send(arm, "GET", path).json()
    assert "routeTable" not in read["properties"]["subnets"][0]["properties"]
    assert send(arm, "PUT", path, read).status_code == 200
    assert {**send(arm, "GET", path).json(), "etag": 0} == {**read, "etag": 0}
    other = send(arm, "PUT", path, {**read, "name": "other"})
    assert other.json()["error"]["code"] == "InvalidRequestContent"


def test_what_azure_never_gives_back_is_not_shown(arm: httpx.Client, group: str) -> None:
    vault = f"{group}/providers/Microsoft.KeyVault/vaults/kv-{uuid.uuid4().hex[:10]}"
    properties = {"tenantId": TENANT_ID, "sku": {"family": "A", "name": "standard"}, "createMode": "default"}
    send(arm, "PUT", vault, {"location": "westeurope", "properties": {**properties, "enableRbacAuthorization": True}})
    shown = send(arm, "GET", vault).json()["properties"]
    assert "createMode" not in shown
    assert shown["vaultUri"].startswith("https://127.0.0.1:")
    key = send(arm, "PUT", f"{vault}/keys/k", {"properties": {"kty": "EC", "curveName": "P-256"}})
    assert key.json()["properties"]["keyUri"].endswith("/keys/k")
    secret = send(arm, "PUT", f"{vault}/secrets/s", {"properties": {"value": "hush"}})
    assert "hush" not in secret.text
    assert "hush" not in send(arm, "GET", f"{vault}/secrets/s").text
    send(arm, "DELETE", vault)


def test_a_dry_run_judges_and_keeps_nothing(arm: httpx.Client, group: str) -> None:
    path = f"{group}/providers/Microsoft.Network/virtualNetworks/dry"
    answer = send(arm, "PUT", path, NETWORK, dryRun="All")
    assert answer.status_code == 200
    assert answer.json()["properties"] == NETWORK["properties"]
    assert send(arm, "GET", path).status_code == 404
    assert send(arm, "PUT", path, {"location": "westeurope", "tag": {}}, dryRun="All").status_code == 400


@pytest.mark.parametrize(
    "path",
    [
        "{sub}/resourceGroups/<unknown>/providers/Microsoft.Network/virtualNetworks/vn",
        "{sub}/resourceGroups/not-there/providers/Microsoft.Network/virtualNetworks/<unknown>/subnets/s",
        "/<unknown>/providers/Microsoft.Authorization/roleAssignments/6b0e7b1e-4b5c-4c0a-9b1c-0a0a0a0a0a0a",
    ],
)
def test_what_is_not_known_yet_passes_a_dry_run(arm: httpx.Client, azure: Any, path: str) -> None:
    bodies = {
        "vn": {"location": "<unknown>", "properties": {"addressSpace": "<unknown>"}},
        "s": {"properties": {"addressPrefix": "<unknown>", "natGateway": {"id": "<unknown>"}}},
    }
    role = {"properties": {"principalId": "<unknown>", "roleDefinitionId": "<unknown>"}}
    body = bodies.get(path.rsplit("/", 1)[1], role)
    answer = send(arm, "PUT", path.format(sub=azure.subscription), body, dryRun="All")
    assert answer.status_code == 200, answer.text


def test_inline_and_standalone_subnets_are_the_same_resources(arm: httpx.Client, group: str) -> None:
    path = f"{group}/providers/Microsoft.Network/virtualNetworks/both"
    inline = {"name": "a", "properties": {"addressPrefix": "10.0.1.0/24"}}
    send(arm, "PUT", path, {**NETWORK, "properties": {**NETWORK["properties"], "subnets": [inline]}})
    assert send(arm, "GET", f"{path}/subnets/a").json()["properties"]["addressPrefix"] == "10.0.1.0/24"
    send(arm, "PUT", f"{path}/subnets/b", {"properties": {"addressPrefix": "10.0.2.0/24"}})
    assert [each["name"] for each in send(arm, "GET", path).json()["properties"]["subnets"]] == ["a", "b"]
    overlap = send(arm, "PUT", f"{path}/subnets/c", {"properties": {"addressPrefix": "10.0.2.128/25"}})
    assert overlap.json()["error"]["code"] == "NetcfgSubnetRangesOverlap"
    path_c, moved = f"{path}/subnets/c", {"properties": {"addressPrefix": "10.0.2.128/25"}}
    assert send(arm, "PUT", path_c, moved, dryRun="All").status_code == 200  # b may move in the same deployment
    outside = send(arm, "PUT", f"{path}/subnets/c", {"properties": {"addressPrefix": "10.9.0.0/24"}})
    assert outside.json()["error"]["code"] == "NetcfgInvalidSubnet"
    send(arm, "DELETE", f"{path}/subnets/a")
    assert [each["name"] for each in send(arm, "GET", path).json()["properties"]["subnets"]] == ["b"]
    send(arm, "PUT", path, NETWORK)
    assert [each["name"] for each in send(arm, "GET", path).json()["properties"]["subnets"]] == ["b"]


def make_identity(arm: httpx.Client, azure: Any, group: str, name: str) -> tuple[str, str, httpx.Client]:
    """A managed identity: its id, its object id, and a client that acts as it."""
    identity = f"{group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/{name}"
    made = send(arm, "PUT", identity, {"location": "westeurope"}).json()["properties"]
    node = json.loads((azure.instance.azure / "node-identity.json").read_text())
    query = {"resource": "https://management.azure.com/", "client_id": made["clientId"]}
    answer = arm.get(node["endpoint"], params=query, headers={"X-IDENTITY-HEADER": node["header"]})
    return identity, made["principalId"], azure.client(answer.json()["access_token"])


def test_a_stranger_is_refused_until_a_role_is_assigned(arm: httpx.Client, azure: Any, group: str) -> None:
    identity, principal, client = make_identity(arm, azure, group, "stranger")
    with client as stranger:
        refused = send(stranger, "GET", identity)
        assert (refused.status_code, refused.json()["error"]["code"]) == (403, "AuthorizationFailed")
        role = f"{azure.subscription}/providers/Microsoft.Authorization/roleDefinitions/{READER}"
        assignment = f"{group}/providers/Microsoft.Authorization/roleAssignments/{uuid.uuid4()}"
        send(arm, "PUT", assignment, {"properties": {"roleDefinitionId": role, "principalId": principal}})
        assert send(stranger, "GET", identity).status_code == 200
        assert send(stranger, "DELETE", identity).status_code == 403
        send(arm, "DELETE", assignment)
        assert send(stranger, "GET", identity).status_code == 403


@pytest.mark.parametrize("kept", ["keys", "secrets", "certificates"])
def test_a_role_is_given_at_one_object_of_a_vault_that_is_there(
    arm: httpx.Client, azure: Any, group: str, kept: str
) -> None:
    _, robot, client = make_identity(arm, azure, group, f"reads-{kept}")
    client.close()
    definition = f"{azure.subscription}/providers/Microsoft.Authorization/roleDefinitions/{READER}"
    given = {"properties": {"roleDefinitionId": definition, "principalId": robot, "principalType": "ServicePrincipal"}}
    vault = f"{group}/providers/Microsoft.KeyVault/vaults/kv-{uuid.uuid4().hex[:12]}"
    path = f"{vault}/{kept}/one/providers/Microsoft.Authorization/roleAssignments/{uuid.uuid4()}"
    refused = send(arm, "PUT", path, given)
    assert (refused.status_code, refused.json()["error"]["code"]) == (404, "ParentResourceNotFound")
    tenant = {"tenantId": TENANT_ID, "sku": {"family": "A", "name": "standard"}, "enableRbacAuthorization": True}
    made = send(arm, "PUT", vault, {"location": "westeurope", "properties": tenant})
    assert made.status_code in (200, 201), made.text
    assert send(arm, "PUT", path, given).status_code == 201
    nested = send(arm, "PUT", path.replace("/one/", "/one/versions/two/"), given)
    assert nested.status_code == 404


def test_who_may_give_some_roles_on_a_condition_may_give_no_other(arm: httpx.Client, azure: Any, group: str) -> None:
    _, pipeline, client = make_identity(arm, azure, group, "pipeline")
    _, robot, other = make_identity(arm, azure, group, "robot")
    other.close()

    def give(who: httpx.Client, role: str, to: str, **more: str) -> httpx.Response:
        path = f"{group}/providers/Microsoft.Authorization/roleAssignments/{uuid.uuid4()}"
        definition = f"{azure.subscription}/providers/Microsoft.Authorization/roleDefinitions/{role}"
        body = {"roleDefinitionId": definition, "principalId": to, "principalType": "ServicePrincipal", **more}
        return send(who, "PUT", path, {"properties": body})

    on_condition = {"condition": only_assigns([READER]), "conditionVersion": "2.0"}
    assert give(arm, ACCESS_ADMINISTRATOR, pipeline, **on_condition).status_code == 201
    with client:
        assert give(client, OWNER, robot).status_code == 403
        assert give(client, READER, robot, principalType="User").status_code == 403
        given = give(client, READER, robot)
        assert given.status_code == 201
        assert send(client, "DELETE", given.json()["id"]).status_code == 200
        (own,) = (each for each in _assignments(arm, group) if each["properties"]["principalId"] == pipeline)
        assert send(client, "DELETE", own["id"]).status_code == 403
    for unjudged in ({"conditionVersion": "1.0"}, {"condition": "@Environment[UtcNow] DateTimeEquals 'x'"}):
        refused = give(arm, READER, robot, **(on_condition | unjudged))
        assert (refused.status_code, refused.json()["error"]["code"]) == (400, "InvalidCondition")


def _assignments(arm: httpx.Client, scope: str) -> list[dict[str, Any]]:
    return send(arm, "GET", f"{scope}/providers/Microsoft.Authorization/roleAssignments").json()["value"]


def test_without_a_token_nothing_is_said(azure: Any) -> None:
    with httpx.Client(base_url=azure.url, verify=azure.tls) as nobody:
        answer = nobody.get(azure.subscription + "/resourceGroups", params={"api-version": "2024-03-01"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "AuthenticationFailed")


def test_a_lock_forbids_what_it_says(arm: httpx.Client, group: str) -> None:
    path = f"{group}/providers/Microsoft.Network/virtualNetworks/locked"
    send(arm, "PUT", path, NETWORK)
    lock = f"{path}/providers/Microsoft.Authorization/locks/keep"
    version = {"api-version": "2020-05-01"}
    assert arm.put(lock, params=version, json={"properties": {"level": "CanNotDelete"}}).status_code == 201
    assert send(arm, "DELETE", path).json()["error"]["code"] == "ScopeLocked"
    whole = arm.delete(group, params={"api-version": "2024-03-01"})
    assert whole.json()["error"]["code"] == "ScopeLocked"
    assert send(arm, "PUT", path, NETWORK).status_code == 200
    assert arm.delete(lock, params=version).status_code in (200, 204)
    assert send(arm, "DELETE", path).status_code == 202


def test_preconditions_hold(arm: httpx.Client, group: str) -> None:
    path, version = (
        f"{group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/tagged",
        {"api-version": "2023-01-31"},
    )
    body = {"location": "westeurope"}
    first = arm.put(path, params=version, json=body).headers["ETag"]
    assert arm.put(path, params=version, json=body, headers={"If-None-Match": "*"}).status_code == 412
    second = arm.put(path, params=version, json=body, headers={"If-Match": first})
    assert second.status_code == 200
    assert arm.put(path, params=version, json=body, headers={"If-Match": first}).status_code == 412


def test_lists_are_paged(arm: httpx.Client, group: str) -> None:
    root = f"{group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities"
    for number in range(5):
        send(arm, "PUT", f"{root}/id-{number}", {"location": "westeurope"})
    found, link = [], f"{root}?api-version=2023-01-31&$top=2"
    while link:
        page = arm.get(link).json()
        assert len(page["value"]) <= 2
        found += [each["name"] for each in page["value"]]
        link = page.get("nextLink", "")
    assert found == [f"id-{number}" for number in range(5)]


def test_a_systems_own_identity_comes_and_goes_with_it(arm: httpx.Client, group: str) -> None:
    path = f"{group}/providers/Microsoft.Insights/components/c"
    body = {"location": "westeurope", "kind": "web", "properties": {"Application_Type": "web"}}
    made = send(arm, "PUT", path, body).json()["properties"]
    again = send(arm, "PUT", path, body).json()["properties"]
    assert made["ConnectionString"].startswith(f"InstrumentationKey={made['InstrumentationKey']};")
    assert again["InstrumentationKey"] == made["InstrumentationKey"]


def test_parallel_puts_of_one_and_of_many_resources(arm: httpx.Client, azure: Any, group: str) -> None:
    root = f"{group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities"
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        names = [f"p-{number % 8}" for number in range(48)]
        answers = list(pool.map(lambda name: send(arm, "PUT", f"{root}/{name}", {"location": "westeurope"}), names))
    assert {each.status_code for each in answers} == {200, 201}
    principals = {(each.json()["name"], each.json()["properties"]["principalId"]) for each in answers}
    assert len(principals) == 8
    listed = send(arm, "GET", root).json()["value"]
    assert len(listed) == 8


def test_nothing_answered_is_lost_when_the_daemon_is_killed(arm: httpx.Client, azure: Any, group: str) -> None:
    root = f"{group}/providers/Microsoft.Network"
    for number in range(5):
        send(arm, "PUT", f"{root}/virtualNetworks/k-{number}", NETWORK)
    last = arm.put(f"{root}/virtualNetworks/last", params={"api-version": "2024-05-01"}, json=NETWORK)
    assert last.status_code == 201
    azure.kill()
    with sqlite3.connect(azure.instance.azure / "azure.db") as database:  # as if it had died within the operation
        database.execute("UPDATE operations SET status = 'InProgress', ended = NULL WHERE resource LIKE '%/last'")
    azure.start()
    assert len(send(arm, "GET", f"{root}/virtualNetworks").json()["value"]) == 6
    poll = last.headers["Azure-AsyncOperation"]
    deadline = time.monotonic() + 10
    while arm.get(poll).json()["status"] != "Succeeded":
        assert time.monotonic() < deadline
        time.sleep(0.02)
    state = send(arm, "GET", f"{root}/virtualNetworks/last").json()["properties"]["provisioningState"]
    assert state == "Succeeded"


def test_no_secret_is_in_the_log_or_readable_by_others(azure: Any, arm: httpx.Client) -> None:
    log = azure.log.read_text()
    assert azure.deployer["client_secret"] not in log
    assert "eyJ" not in log
    for name in ("deployer.json", "node-identity.json", "signing-key.pem", "azure.db", "ca.key", "loopback.key"):
        assert (azure.instance.azure / name).stat().st_mode & 0o077 == 0, name
