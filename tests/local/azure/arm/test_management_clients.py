"""Azure's own management clients work against the embedded Azure."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceNotFoundError
from azure.mgmt.authorization import AuthorizationManagementClient
from azure.mgmt.keyvault import KeyVaultManagementClient
from azure.mgmt.resource.resources import ResourceManagementClient
from azure.mgmt.storage import StorageManagementClient

from local.instance import SUBSCRIPTION_ID, TENANT_ID

READER = "acdd72a7-3385-48ef-bd42-f606fba81ae7"


@pytest.fixture(scope="module")
def resources(deployer_credential: Any, client_options: dict[str, Any]) -> ResourceManagementClient:
    return ResourceManagementClient(deployer_credential, SUBSCRIPTION_ID, **client_options)


@pytest.fixture
def group(resources: ResourceManagementClient) -> Iterator[str]:
    name = f"rg-{uuid.uuid4().hex[:8]}"
    resources.resource_groups.create_or_update(name, {"location": "westeurope"})
    yield name
    if resources.resource_groups.check_existence(name):
        resources.resource_groups.begin_delete(name).wait(30)


def test_a_resource_group_lives_and_takes_all_with_it(resources: ResourceManagementClient) -> None:
    name = f"rg-{uuid.uuid4().hex[:8]}"
    made = resources.resource_groups.create_or_update(name, {"location": "westeurope", "tags": {"a": "b"}})
    assert some(made.properties).provisioning_state == "Succeeded"
    assert name in [each.name for each in resources.resource_groups.list()]
    network = f"{made.id}/providers/Microsoft.Network/virtualNetworks/vnet"
    body = {"location": "westeurope", "properties": {"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}}}
    resources.resources.begin_create_or_update_by_id(network, body, api_version="2024-05-01").result(30)
    listed = list(resources.resources.list_by_resource_group(name))
    assert [each.type for each in listed] == ["Microsoft.Network/virtualNetworks"]
    updated = resources.resource_groups.update(name, {"tags": {"c": "d"}})
    assert updated.tags == {"c": "d"}
    resources.resource_groups.begin_delete(name).result(30)
    assert not resources.resource_groups.check_existence(name)
    with pytest.raises(ResourceNotFoundError) as refused:
        resources.resources.get_by_id(network, api_version="2024-05-01")
    assert refused.value.error is not None
    assert refused.value.error.code in ("ResourceNotFound", "ResourceGroupNotFound")


def test_a_user_assigned_identity_by_the_generic_client(resources: ResourceManagementClient, group: str) -> None:
    path = f"/subscriptions/{SUBSCRIPTION_ID}/resourceGroups/{group}/providers/Microsoft.ManagedIdentity"
    path += "/userAssignedIdentities/id-test"
    poller = resources.resources.begin_create_or_update_by_id(
        path, {"location": "westeurope"}, api_version="2023-01-31"
    )
    made = poller.result(30)
    again = resources.resources.begin_create_or_update_by_id(
        path, {"location": "westeurope"}, api_version="2023-01-31"
    ).result(30)
    assert some(made.properties)["principalId"] == some(again.properties)["principalId"]
    assert some(made.properties)["tenantId"] == TENANT_ID


def test_providers_name_the_api_versions_of_the_table(resources: ResourceManagementClient) -> None:
    provider = resources.providers.get("Microsoft.Storage")
    accounts = next(each for each in some(provider.resource_types) if each.resource_type == "storageAccounts")
    assert "2024-01-01" in some(accounts.api_versions)
    assert resources.providers.register("Microsoft.Storage").registration_state == "Registered"


def test_a_storage_account_as_the_newest_client_makes_it(
    deployer_credential: Any, client_options: dict[str, Any], group: str
) -> None:
    client = StorageManagementClient(deployer_credential, SUBSCRIPTION_ID, **client_options)
    name = f"st{uuid.uuid4().hex[:12]}"
    assert client.storage_accounts.check_name_availability(
        {"name": name, "type": "Microsoft.Storage/storageAccounts"}
    ).name_available
    body: Any = {"location": "westeurope", "kind": "StorageV2", "sku": {"name": "Standard_LRS"}}
    body["properties"] = {"allowSharedKeyAccess": False, "minimumTlsVersion": "TLS1_2"}
    made = client.storage_accounts.begin_create(group, name, body).result(30)
    assert some(made.properties).provisioning_state == "Succeeded"
    assert some(some(made.properties).primary_endpoints).blob.startswith("https://127.0.0.1:")
    assert not client.storage_accounts.check_name_availability(
        {"name": name, "type": "Microsoft.Storage/storageAccounts"}
    ).name_available
    changed = client.storage_accounts.update(group, name, {"tags": {"a": "b"}})
    assert changed.tags == {"a": "b"}
    assert [each.name for each in client.storage_accounts.list_by_resource_group(group)] == [name]
    client.storage_accounts.delete(group, name)
    with pytest.raises(ResourceNotFoundError):
        client.storage_accounts.get_properties(group, name)


def test_a_deleted_vault_holds_its_name_until_it_is_recovered_or_purged(
    deployer_credential: Any, client_options: dict[str, Any], group: str
) -> None:
    client = KeyVaultManagementClient(deployer_credential, SUBSCRIPTION_ID, **client_options)
    name = f"kv-{uuid.uuid4().hex[:10]}"
    properties = {
        "tenantId": TENANT_ID,
        "sku": {"family": "A", "name": "standard"},
        "enableRbacAuthorization": True,
        "accessPolicies": [],
    }
    body = {"location": "westeurope", "properties": properties}
    made = client.vaults.begin_create_or_update(group, name, body).result(30)
    assert some(made.properties.vault_uri).startswith("https://127.0.0.1:")
    client.vaults.delete(group, name)
    assert name in [each.name for each in client.vaults.list_deleted()]
    with pytest.raises(HttpResponseError) as held:
        client.vaults.begin_create_or_update(group, name, body)
    assert held.value.status_code == 409
    recover = {"location": "westeurope", "properties": {**properties, "createMode": "recover"}}
    client.vaults.begin_create_or_update(group, name, recover).result(30)
    assert client.vaults.get(group, name).name == name
    client.vaults.delete(group, name)
    client.vaults.begin_purge_deleted(name, "westeurope").result(30)
    assert name not in [each.name for each in client.vaults.list_deleted()]
    client.vaults.begin_create_or_update(group, name, body).result(30)
    client.vaults.delete(group, name)
    client.vaults.begin_purge_deleted(name, "westeurope").result(30)


def test_role_definitions_and_assignments(
    deployer_credential: Any, client_options: dict[str, Any], resources: ResourceManagementClient, group: str, arm: Any
) -> None:
    client = AuthorizationManagementClient(deployer_credential, SUBSCRIPTION_ID, **client_options)
    scope = f"/subscriptions/{SUBSCRIPTION_ID}/resourceGroups/{group}"
    [reader] = client.role_definitions.list(scope, filter="roleName eq 'Reader'")
    assert reader.name == READER
    by_id = f"/providers/Microsoft.Authorization/roleDefinitions/{READER}"
    assert arm.get(by_id, params={"api-version": "2022-04-01"}).json()["properties"]["roleName"] == "Reader"
    identity = arm.put(
        f"{scope}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/reader",
        params={"api-version": "2023-01-31"},
        json={"location": "westeurope"},
    ).json()
    parameters = {"role_definition_id": reader.id, "principal_id": identity["properties"]["principalId"]}
    name = str(uuid.uuid4())
    made = client.role_assignments.create(scope, name, {"properties": _wire(parameters)})
    assert made.scope == scope
    assert name in [each.name for each in client.role_assignments.list_for_scope(scope)]
    with pytest.raises(ResourceExistsError) as twice:
        client.role_assignments.create(scope, str(uuid.uuid4()), {"properties": _wire(parameters)})
    assert "RoleAssignmentExists" in str(twice.value)
    client.role_assignments.delete(scope, name)
    assert name not in [each.name for each in client.role_assignments.list_for_scope(scope)]


def some(value: Any) -> Any:
    """What a client's model says may be missing, and is there."""
    assert value is not None
    return value


def _wire(parameters: dict[str, str]) -> dict[str, str]:
    return {"roleDefinitionId": parameters["role_definition_id"], "principalId": parameters["principal_id"]}
