"""The chain that a deployment is measured against: what counts as Azure's order, and that the program adds little."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import yaml

from local.azure.arm.types import all_types
from local.commands.plan import Planned
from local.plugins.values import UNKNOWN
from tests.bench import chain
from tests.captures import Capture

GROUP = Planned("urn:pulumi:s::p::t::group", "azure-native:resources:ResourceGroup", {"resourceGroupName": "g"}, {})
PLACE = {"resourceGroupName": "g"}


def planned(token: str, name: str, inputs: dict[str, Any], **uses: list[str]) -> Planned:
    return Planned(f"urn:pulumi:s::p::azure-native:{token}::{name}", f"azure-native:{token}", PLACE | inputs, uses)


NETWORK = planned("network:VirtualNetwork", "net", {"virtualNetworkName": "net"})
SUBNET = f"{NETWORK.id}/subnets/inline"
ENDPOINT = planned("network:PrivateEndpoint", "end", {"privateEndpointName": "end", "subnet": {"id": SUBNET}})
IDENTITY = planned("managedidentity:UserAssignedIdentity", "me", {"resourceName": "me"})
VAULT = planned("keyvault:Vault", "kv", {"vaultName": "kv", "properties": {}})
RIGHT = planned(
    "authorization:RoleAssignment",
    "right",
    {"scope": VAULT.id, "roleAssignmentName": "r", "principalId": UNKNOWN},
    principalId=[IDENTITY.urn],
)


def names(*resources: Planned) -> list[str]:
    return [each.rpartition(" ")[2] for each in chain.demanded([GROUP, *resources]).names]


def test_a_resource_follows_what_it_lies_in_and_what_its_body_names() -> None:
    assert names(NETWORK, ENDPOINT) == ["group", "net", "end"]  # a subnet in the body is its network's


def test_a_resource_follows_where_a_value_of_its_body_comes_from() -> None:
    assert names(IDENTITY, RIGHT, VAULT)[-1] == "right"
    assert names(IDENTITY, RIGHT) == ["group", "me", "right"]


def test_what_acts_as_an_identity_follows_the_rights_that_azure_asks_it_for() -> None:
    account = planned(
        "storage:StorageAccount",
        "files",
        {"accountName": "files", "identity": {"userAssignedIdentities": {IDENTITY.id: {}}}},
    )
    assert names(IDENTITY, RIGHT, VAULT, account) == ["group", "kv", "right", "files"]


def test_what_only_the_program_waits_for_is_no_part_of_the_chain() -> None:
    resources = [GROUP, NETWORK, VAULT]
    waits = {VAULT.urn: [NETWORK.urn], NETWORK.urn: [GROUP.urn]}
    assert chain.programmed(resources, waits).seconds > chain.demanded(resources).seconds


def test_each_rule_of_azures_order_is_of_known_types_and_has_a_source() -> None:
    known = {each.type for each in all_types()}
    for rule in yaml.safe_load(chain.RULES.read_text()):
        assert {rule["later"], rule["earlier"]} <= known | {"*"}, rule
        assert rule["where"] in chain.RELATED
        assert rule["why"], rule
        assert rule["source"].startswith("https://learn.microsoft.com/"), rule


@pytest.mark.timeout(600)
def test_prod_waits_for_hardly_more_than_azure_demands(captured: Callable[[str], Capture]) -> None:
    shown = captured("prod")
    waits = {
        each["newState"]["urn"]: each["newState"].get("dependencies") or []
        for each in shown.steps
        if "newState" in each
    }
    demanded, programmed = chain.demanded(shown.plan), chain.programmed(shown.plan, waits)
    assert programmed.seconds <= 1.05 * demanded.seconds, programmed.names
