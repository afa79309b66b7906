"""What the azure-native stand-in tells the engine, resource by resource, against the embedded Azure."""

from __future__ import annotations

import re
from typing import Any

import httpx
import pytest
from pulumi.runtime.proto import provider_pb2 as rpc

from local.plugins.values import UNKNOWN, Secret
from tests.local.azure.conftest import RunningAzure
from tests.local.plugins.plugin import Plugin, Refused

VNET = "azure-native:network:VirtualNetwork"
IDENTITY = "azure-native:managedidentity:UserAssignedIdentity"
VAULT = "azure-native:keyvault:Vault"
SPACE = {"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}}


def vnet(group: str, **more: Any) -> dict[str, Any]:
    return {"resourceGroupName": group, "virtualNetworkName": "vnet", **SPACE, **more}


def test_a_name_is_chosen_once_and_kept(azure_native: Plugin, group: str) -> None:
    said = {"resourceGroupName": group, **SPACE}
    first = azure_native.checked(VNET, said)
    assert re.fullmatch("it[0-9a-f]{8}", first["virtualNetworkName"])
    assert azure_native.checked(VNET, said) == first
    assert azure_native.checked(VNET, said, olds=first) == first
    assert azure_native.check(VNET, said, seed=b"other")[0]["virtualNetworkName"] != first["virtualNetworkName"]


def test_autonaming_follows_the_projects_configuration(azure_native: Plugin, group: str) -> None:
    options, said = rpc.CheckRequest.AutonamingOptions, {"resourceGroupName": group, **SPACE}
    proposed = options(proposed_name="by-pattern", mode=options.PROPOSE)
    assert azure_native.check(VNET, said, autonaming=proposed)[0]["virtualNetworkName"] == "by-pattern"
    off = options(mode=options.DISABLE)
    assert "virtualNetworkName" in azure_native.check(VNET, said, autonaming=off)[1]


def test_the_location_is_the_resource_groups_unless_said(azure_native: Plugin, group: str) -> None:
    assert azure_native.checked(VNET, vnet(group))["location"] == "northeurope"
    assert azure_native.checked(VNET, vnet(group, location="westeurope"))["location"] == "westeurope"
    assert azure_native.checked(VNET, vnet(UNKNOWN))["location"] == UNKNOWN


def test_every_wrong_property_is_named_as_the_program_wrote_it(azure_native: Plugin, group: str) -> None:
    _, failures = azure_native.check(
        "azure-native:storage:StorageAccount",
        {
            "accountName": "goodname1",
            "resourceGroupName": group,
            "kind": "StorageV3",
            "sku": {"name": "Standard_LRS"},
            "networkRuleSet": {"defaultAction": "Maybe"},
            "minimumTlsVersoin": "TLS1_2",
        },
    )
    assert set(failures) == {"kind", "networkRuleSet.defaultAction", "minimumTlsVersoin"}
    assert re.search("Maybe.*Deny", failures["networkRuleSet.defaultAction"])
    assert "minimumTlsVersion" in failures["minimumTlsVersoin"]


def test_what_is_unknown_is_not_judged(azure_native: Plugin) -> None:
    inputs, failures = azure_native.check(VNET, vnet(UNKNOWN, tags={"a": UNKNOWN}))
    assert not failures
    assert inputs["tags"] == {"a": UNKNOWN}


def test_a_preview_knows_what_was_said_and_nothing_that_azure_adds(azure_native: Plugin, group: str) -> None:
    said = {"vaultName": "kv-preview-1", "resourceGroupName": group}
    properties = {"tenantId": "7e4a7c11-0c0a-4d5e-9d3b-7f1b0a2c4401", "sku": {"family": "A", "name": "standard"}}
    _, state = azure_native.create(VAULT, azure_native.checked(VAULT, {**said, "properties": properties}), preview=True)
    assert state["location"] == "northeurope"
    assert state["properties"]["sku"]["name"] == "standard"
    assert state["properties"]["vaultUri"] == UNKNOWN
    assert state["name"] == UNKNOWN


def test_a_resource_lives_from_create_to_delete(
    azure_native: Plugin, group: str, azure: RunningAzure, arm: httpx.Client
) -> None:
    inputs = azure_native.checked(VNET, vnet(group, tags={"a": "1"}))
    identity, state = azure_native.create(VNET, inputs)
    path = f"{azure.subscription}/resourceGroups/{group}/providers/Microsoft.Network/virtualNetworks/vnet"
    assert identity == path
    assert state["provisioningState"] == "Succeeded"

    changed = azure_native.checked(VNET, vnet(group, tags={"a": "2"}), olds=inputs)
    difference = azure_native.diff(VNET, identity, inputs, state, changed)
    assert [(each, value.kind) for each, value in difference.detailedDiff.items()] == [
        ("tags.a", rpc.PropertyDiff.UPDATE)
    ]
    state = azure_native.update(VNET, identity, state, changed)
    assert arm.get(f"{path}?api-version=2024-05-01").json()["tags"] == {"a": "2"}

    assert azure_native.read(VNET, identity, state, changed) == (identity, state, changed)
    azure_native.delete(VNET, identity)
    assert azure_native.read(VNET, identity, state, changed)[0] == ""
    azure_native.delete(VNET, identity)


def test_a_fixed_name_is_deleted_before_its_replacement_and_a_chosen_one_after(
    azure_native: Plugin, group: str
) -> None:
    fixed = azure_native.checked(VNET, vnet(group))
    moved = azure_native.checked(VNET, vnet(group, location="westeurope"), olds=fixed)
    difference = azure_native.diff(VNET, "id", fixed, {}, moved)
    assert (list(difference.replaces), difference.deleteBeforeReplace) == (["location"], True)
    chosen = azure_native.checked(VNET, {"resourceGroupName": group, **SPACE})
    difference = azure_native.diff(VNET, "id", chosen, {}, {**chosen, "location": "westeurope"})
    assert (list(difference.replaces), difference.deleteBeforeReplace) == (["location"], False)


def test_two_spellings_of_a_region_are_one(azure_native: Plugin, group: str) -> None:
    old = azure_native.checked(VNET, vnet(group, location="West Europe"))
    difference = azure_native.diff(VNET, "id", old, {}, {**old, "location": "westeurope"})
    assert difference.changes == rpc.DiffResponse.DIFF_NONE


def test_a_resource_that_exists_is_not_taken_over(azure_native: Plugin, group: str) -> None:
    inputs = azure_native.checked(VNET, vnet(group))
    azure_native.create(VNET, inputs)
    with pytest.raises(Refused, match="cannot create already existing resource"):
        azure_native.create(VNET, inputs)


def test_what_somebody_changed_shows_after_a_refresh_and_defaults_do_not(
    azure_native: Plugin, group: str, arm: httpx.Client
) -> None:
    inputs = azure_native.checked(VNET, vnet(group, tags={"a": "1"}))
    identity, state = azure_native.create(VNET, inputs)
    arm.patch(f"{identity}?api-version=2024-05-01", json={"tags": {"a": "1", "b": "2"}})
    _, _, refreshed = azure_native.read(VNET, identity, state, inputs)
    assert refreshed == {**inputs, "tags": {"a": "1", "b": "2"}}


def test_subnets_made_on_their_own_do_not_become_the_networks(
    azure_native: Plugin, group: str, arm: httpx.Client
) -> None:
    inputs = azure_native.checked(VNET, vnet(group))
    identity, state = azure_native.create(VNET, inputs)
    subnet = {"properties": {"addressPrefix": "10.0.1.0/24"}}
    assert arm.put(f"{identity}/subnets/alone?api-version=2024-05-01", json=subnet).is_success
    _, now, refreshed = azure_native.read(VNET, identity, state, inputs)
    assert [each["name"] for each in now["subnets"]] == ["alone"]
    assert refreshed == inputs
    azure_native.update(VNET, identity, now, refreshed)
    assert arm.get(f"{identity}/subnets/alone?api-version=2024-05-01").is_success


def test_imported_inputs_leave_nothing_to_do(azure_native: Plugin, group: str) -> None:
    said = azure_native.checked(VNET, vnet(group, tags={"a": "1"}))
    identity, _ = azure_native.create(VNET, said)
    read, state, imported = azure_native.read(VNET, identity)
    assert read == identity
    again = azure_native.checked(VNET, imported, olds=imported)
    assert azure_native.diff(VNET, identity, imported, state, again).changes == rpc.DiffResponse.DIFF_NONE
    assert said.items() <= imported.items()


def test_import_needs_an_id_of_the_type(azure_native: Plugin) -> None:
    with pytest.raises(Refused, match=r"no id of Microsoft\.Network/virtualNetworks"):
        azure_native.read(VNET, "vnet")


def test_a_secret_stays_secret(azure_native: Plugin, group: str) -> None:
    inputs, _ = azure_native.check(VNET, vnet(group, tags=Secret({"pin": "1234"})))
    assert inputs["tags"] == Secret({"pin": "1234"})
    _, state = azure_native.create(VNET, inputs)
    assert state["tags"] == Secret({"pin": "1234"})


@pytest.mark.parametrize("token", ["azure-native:quantum:Workspace", "azure-native:network/v20200101:VirtualNetwork"])
def test_a_type_that_is_not_known_is_refused(azure_native: Plugin, token: str) -> None:
    with pytest.raises(Refused, match=f"does not know the type {token}"):
        azure_native.check(token, {})


def test_arms_refusal_is_told_with_code_and_reason(azure_native: Plugin) -> None:
    inputs, _ = azure_native.check(VNET, vnet("no-such-group", location="westeurope"))
    with pytest.raises(Refused, match=r"ResourceGroupNotFound: Resource group 'no-such-group'"):
        azure_native.create(VNET, inputs)


def test_functions_answer_what_the_program_asks(azure_native: Plugin, group: str, azure: RunningAzure) -> None:
    client = azure_native.invoke("azure-native:authorization:getClientConfig", {})
    assert client["objectId"] == azure.deployer["object_id"]
    assert client["tenantId"] == azure.deployer["tenant_id"]
    assert isinstance(azure_native.invoke("azure-native:authorization:getClientToken", {})["token"], Secret)
    _, made = azure_native.create(
        IDENTITY, azure_native.checked(IDENTITY, {"resourceGroupName": group, "resourceName": "identity"})
    )
    arguments = {"resourceGroupName": group, "resourceName": "identity"}
    found = azure_native.invoke("azure-native:managedidentity:getUserAssignedIdentity", arguments)
    assert found["principalId"] == made["principalId"]


def test_functions_that_are_not_known_are_refused(azure_native: Plugin) -> None:
    for token in ("azure-native:storage:listEverything", "azure-native:nowhere:getIt"):
        with pytest.raises(Refused, match=f"does not know the function {token}"):
            azure_native.invoke(token, {})
    with pytest.raises(Refused, match="does not know the argument 'nmae'"):
        azure_native.invoke("azure-native:resources:getResourceGroup", {"resourceGroupName": "a", "nmae": "b"})


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"metadataHost": "management.azure.com"}, "loopback only"),
        ({"useMsi": "true"}, "client secret only"),
        ({"locatoin": "westeurope"}, "does not know the setting azure-native:locatoin"),
    ],
)
def test_a_configuration_that_it_can_not_serve_is_refused(
    azure_environment: dict[str, str], config: dict[str, str], said: str
) -> None:
    with pytest.raises(Refused, match=said):
        Plugin("azure_native", azure_environment, config)


def test_a_wrong_secret_is_told_without_showing_it(azure_environment: dict[str, str]) -> None:
    plugin = Plugin("azure_native", azure_environment, {"clientSecret": "not-the-secret"})
    try:
        with pytest.raises(Refused, match="Signing in at") as refused:
            plugin.check(VNET, vnet("group", location="westeurope"))
        assert "not-the-secret" not in str(refused.value)
    finally:
        plugin.stop()
