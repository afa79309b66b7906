"""What the azure-native stand-in makes of an Azure that refuses, stays silent or loses its answers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from local.azure.arm.types import by_token
from local.plugins.azure_native.settings import PAUSE, Settings, read
from local.plugins.provider import ProviderError
from tests.local.azure.conftest import RunningAzure
from tests.local.plugins.plugin import Plugin, Refused

PASSING = ("conflict", "throttled", "error", "unavailable", "lost")
TYPES: dict[str, dict[str, Any]] = {
    "azure-native:network:VirtualNetwork": {
        "virtualNetworkName": "vnet",
        "addressSpace": {"addressPrefixes": ["10.0.0.0/16"]},
    },
    "azure-native:managedidentity:UserAssignedIdentity": {"resourceName": "robot"},
    "azure-native:operationalinsights:Workspace": {"workspaceName": "log-faults", "sku": {"name": "PerGB2018"}},
    "azure-native:containerregistry:Registry": {"registryName": "crfaults4711", "sku": {"name": "Basic"}},
    "azure-native:web:AppServicePlan": {"name": "plan-faults", "kind": "linux", "sku": {"name": "B1", "tier": "Basic"}},
}
VNET = "azure-native:network:VirtualNetwork"
CASES = [pytest.param(each, marks=[] if each == VNET else pytest.mark.full, id=each.split(":")[2]) for each in TYPES]


@pytest.fixture
def faults(arm: httpx.Client) -> Iterator[httpx.Client]:
    """The client that plans faults; none is left behind."""
    yield arm
    arm.put("/faults", json=[]).raise_for_status()


def plan(arm: httpx.Client, kind: str, method: str, path: str, times: int = 1) -> None:
    fault = {"kind": kind, "method": method, "path": path, "times": times, "seconds": 0.3}
    arm.put("/faults", json=[fault]).raise_for_status()


def befallen(arm: httpx.Client) -> int:
    """How many requests the plan befell; from now on there is none."""
    times = sum(each["times"] for each in arm.get("/faults").json()["value"])
    arm.put("/faults", json=[]).raise_for_status()
    return times


def existing(arm: httpx.Client, azure: RunningAzure, group: str) -> list[str]:
    path = f"{azure.subscription}/resourceGroups/{group}/resources?api-version=2024-03-01"
    return [each["id"] for each in arm.get(path).json()["value"]]


def inputs(plugin: Plugin, token: str, group: str) -> dict[str, Any]:
    return plugin.checked(token, {"resourceGroupName": group, **TYPES[token]})


@pytest.mark.parametrize("kind", [*PASSING, "timeout"])
@pytest.mark.parametrize("token", CASES)
def test_one_fault_on_any_request_changes_nothing_of_a_resources_life(
    azure_native: Plugin, azure: RunningAzure, faults: httpx.Client, group: str, token: str, kind: str
) -> None:
    said = inputs(azure_native, token, group)
    known = by_token(token)
    assert known
    for method in ("GET", "PUT"):
        plan(faults, kind, method, group)
        identity, state = azure_native.create(token, said)
        assert befallen(faults) >= 1
        assert existing(faults, azure, group) == [identity]
        assert azure_native.read(token, identity, state, said)[1] == state
        plan(faults, kind, "DELETE", group)
        azure_native.delete(token, identity, state)
        assert befallen(faults) >= 1
        assert existing(faults, azure, group) == []


_SAID = dict.fromkeys(("clientId", "clientSecret", "tenantId", "subscriptionId", "metadataHost"), "x")


def test_half_a_second_passes_before_it_asks_again_unless_that_is_said() -> None:
    assert [found.pause for found in (read(_SAID, {}), read(_SAID, {PAUSE: "0.02"})) if found] == [0.5, 0.02]
    assert Settings.pause == 0.5
    for wrong in ("soon", "-1", "3600"):
        with pytest.raises(ProviderError, match="allowed are 0 to 60 seconds"):
            read(_SAID, {PAUSE: wrong})


@pytest.mark.full
@pytest.mark.parametrize("kind", [*PASSING, "timeout"])
@pytest.mark.parametrize("token", TYPES, ids=lambda each: each.split(":")[2])
def test_a_fault_that_stays_is_told_and_leaves_nothing_that_can_not_be_taken_up_again(
    azure_native: Plugin, azure: RunningAzure, faults: httpx.Client, group: str, token: str, kind: str
) -> None:
    said = inputs(azure_native, token, group)
    for method in ("GET", "PUT"):
        plan(faults, kind, method, group, times=99)
        with pytest.raises(Refused, match=group) as refused:
            azure_native.create(token, said)
        assert befallen(faults) == 4, "asked four times, as the official plugin asks"
        assert "eyJ" not in str(refused.value)
        left = existing(faults, azure, group)
        if kind == "lost" and method == "PUT":
            with pytest.raises(Refused, match="cannot create already existing resource"):
                azure_native.create(token, said)
            identity, state = left[0], azure_native.read(token, left[0])[1]
            assert state
        else:
            assert left == []
            identity, state = azure_native.create(token, said)
        azure_native.delete(token, identity, state)
        assert existing(faults, azure, group) == []
