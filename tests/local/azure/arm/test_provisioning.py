"""Creations take Azure's typical time, scaled, when that is asked for, and only then."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

import httpx
import pytest

from local.azure.arm import provisioning
from local.azure.arm.types import all_types
from tests.local.azure.conftest import RunningAzure

VERSION = {"api-version": "2024-03-01"}


@pytest.fixture
def group(azure: RunningAzure, arm: httpx.Client) -> Iterator[str]:
    path = f"{azure.subscription}/resourceGroups/rg-provisioning"
    yield path
    arm.put("/provisioning", json={"factor": 0}).raise_for_status()
    arm.delete(path, params=VERSION)


def seconds(arm: httpx.Client, path: str) -> float:
    began = time.monotonic()
    arm.put(path, params=VERSION, json={"location": "westeurope"}).raise_for_status()
    return time.monotonic() - began


def test_a_creation_takes_its_types_time_and_an_update_none(arm: httpx.Client, group: str) -> None:
    arm.put("/provisioning", json={"factor": 0.5}).raise_for_status()
    assert arm.get("/provisioning").json() == {"factor": 0.5}
    typical = provisioning.typical_seconds("Microsoft.Resources/resourceGroups") * 0.5
    assert seconds(arm, group) >= typical
    assert seconds(arm, group) < typical


@pytest.mark.parametrize("given", [{"factor": -1}, {"factor": 2}, {"factor": "1"}, {"factor": True}, {}, []])
def test_another_factor_is_refused_by_name(arm: httpx.Client, given: object) -> None:
    refused = arm.put("/provisioning", json=given)
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "InvalidProvisioning")
    assert "0 to 1" in refused.json()["error"]["message"]


def test_each_figure_is_of_a_known_type_and_has_a_source_or_is_called_an_estimate() -> None:
    known = {each.type.lower() for each in all_types()}
    table = json.loads(provisioning._TABLE.read_text())["types"]
    for name, each in table.items():
        assert name.lower() in known, name
        assert each["seconds"] > 0, name
        assert each.get("source", "").startswith("https://") or each["note"].startswith("Estimate"), name
