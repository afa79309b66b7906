"""The embedded Azure misbehaves as it is told, and only then."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.local.azure.conftest import RunningAzure

VERSION = {"api-version": "2024-03-01"}


@pytest.fixture
def group(azure: RunningAzure, arm: httpx.Client, request: pytest.FixtureRequest) -> Iterator[str]:
    """The path of a resource group that does not exist yet; no fault is planned afterwards."""
    path = f"{azure.subscription}/resourceGroups/rg-faults-{abs(hash(request.node.name)) % 10**8}"
    yield path
    arm.put("/faults", json=[]).raise_for_status()
    arm.delete(path, params=VERSION)


def make(arm: httpx.Client, path: str) -> httpx.Response:
    return arm.put(path, params=VERSION, json={"location": "westeurope"})


def exists(arm: httpx.Client, path: str) -> bool:
    return arm.get(path, params=VERSION).status_code == 200


@pytest.mark.parametrize(
    ("kind", "status", "code"),
    [
        ("conflict", 409, "AnotherOperationInProgress"),
        ("throttled", 429, "TooManyRequests"),
        ("error", 500, "InternalServerError"),
        ("unavailable", 503, "ServiceUnavailable"),
    ],
)
def test_a_refusal_is_arms_comes_once_a_path_and_changes_nothing(
    arm: httpx.Client, group: str, kind: str, status: int, code: str
) -> None:
    arm.put("/faults", json=[{"kind": kind, "method": "PUT", "path": "rg-faults-"}]).raise_for_status()
    refused = make(arm, group)
    assert (refused.status_code, refused.json()["error"]["code"]) == (status, code)
    assert ("Retry-After" in refused.headers) == (status in (429, 503))
    assert not exists(arm, group)
    assert make(arm, group).status_code == 201
    assert arm.get("/faults").json()["value"] == [{"kind": kind, "method": "PUT", "path": group, "times": 1}]


def test_a_lost_answer_is_of_a_request_that_was_carried_out(arm: httpx.Client, group: str) -> None:
    arm.put("/faults", json=[{"kind": "lost", "method": "PUT"}]).raise_for_status()
    with pytest.raises(httpx.TransportError):
        make(arm, group)
    assert exists(arm, group)


def test_a_lost_refusal_is_no_answer_either(arm: httpx.Client, group: str) -> None:
    arm.put("/faults", json=[{"kind": "lost", "method": "GET", "path": "rg-faults-"}]).raise_for_status()
    with pytest.raises(httpx.TransportError):
        exists(arm, group)


def test_silence_ends_with_a_closed_connection_and_nothing_done(arm: httpx.Client, group: str) -> None:
    arm.put("/faults", json=[{"kind": "timeout", "method": "PUT", "seconds": 0.2}]).raise_for_status()
    with pytest.raises(httpx.TransportError):
        make(arm, group)
    assert not exists(arm, group)


def test_dry_runs_and_other_paths_are_spared(arm: httpx.Client, group: str) -> None:
    arm.put("/faults", json=[{"kind": "error", "times": 9, "path": "/virtualNetworks/"}]).raise_for_status()
    assert make(arm, group).status_code == 201
    arm.put("/faults", json=[{"kind": "error", "times": 9}]).raise_for_status()
    dry = arm.put(group, params={**VERSION, "dryRun": "All"}, json={"location": "westeurope"})
    assert dry.status_code == 200


@pytest.mark.parametrize(
    ("plan", "said"),
    [
        ({}, "a plan is a list"),
        ([1], "fault 0 is not an object"),
        ([{"kind": "slow"}], "kind 'slow'; allowed are conflict, throttled, error, unavailable, timeout, lost"),
        ([{"kind": "lost"}, {"kind": "lost", "time": 1}], "fault 1 has the property 'time'; allowed are kind, method"),
        ([{"kind": "lost", "times": 0}], "times 0; allowed is a whole number from 1 on"),
        ([{"kind": "timeout", "seconds": "5"}], "seconds '5'; allowed is a number above 0"),
        ([{"kind": "lost", "path": "("}], "no regular expression"),
    ],
)
def test_a_plan_that_can_not_be_followed_is_refused_and_the_old_one_stays(
    arm: httpx.Client, group: str, plan: Any, said: str
) -> None:
    arm.put("/faults", json=[{"kind": "error", "method": "PUT", "path": "rg-faults-"}]).raise_for_status()
    refused = arm.put("/faults", json=plan)
    assert refused.status_code == 400
    assert said in refused.json()["error"]["message"]
    assert make(arm, group).status_code == 500


def test_planning_faults_needs_the_right_to_assign_roles(azure: RunningAzure) -> None:
    assert httpx.get(f"{azure.url}/faults", verify=azure.tls).status_code == 401


@pytest.mark.parametrize("path", ["/faults", "/provisioning"])
def test_what_is_no_json_is_refused_and_changes_nothing(arm: httpx.Client, path: str) -> None:
    before = arm.get(path).json()
    refused = arm.put(path, content=b"[{", headers={"Content-Type": "application/json"})
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "InvalidRequestContent")
    assert "no valid JSON" in refused.json()["error"]["message"]
    assert arm.get(path).json() == before
