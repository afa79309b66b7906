"""The program through the real engine: up, again, refreshed; previewed for dev and prod; refused."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from local.commands.engine import EngineFailed
from stacks.services import deployed as deployed_services
from tests.captures import Capture
from tests.engine.deployment import Deployment, changes

_KUBERNETES_OWN = {"status", "resourceVersion", "managedFields", "generation"}


def resources(deployment: Deployment) -> dict[str, Any]:
    """Id and outputs by URN, without ciphertexts, which differ each time, and what Kubernetes goes on writing."""
    return {each["urn"]: (each.get("id"), _lasting(each.get("outputs"))) for each in deployment.state("local")}


def _lasting(value: Any) -> Any:
    if isinstance(value, list):
        return [_lasting(each) for each in value]
    if not isinstance(value, dict):
        return value
    if "ciphertext" in value:
        return "secret"
    return {key: _lasting(each) for key, each in value.items() if key not in _KUBERNETES_OWN}


def test_every_service_answers_after_an_update(deployed: Deployment) -> None:
    addresses = deployed.outputs("local")["services"]
    assert set(addresses) == {each.name for each in deployed_services(sandbox_banks=True)}
    for address in addresses.values():
        # 10.x is the cluster's network; on this machine it is 127.x (docs/architecture.md, "Kubernetes").
        assert httpx.get(f"{address.replace('://10.', '://127.')}/healthz/ready", timeout=5).status_code == 200


def test_nothing_changes_by_a_second_update_a_preview_or_a_refresh(deployed: Deployment) -> None:
    before = resources(deployed)
    assert changes(deployed.run("up", "local", "--refresh", "--expect-no-changes")) == []
    assert changes(deployed.run("preview", "local", "--expect-no-changes")) == []
    assert resources(deployed) == before


def test_no_credential_is_in_the_state_in_plain_text(deployed: Deployment) -> None:
    # In the base64 of what is encrypted any three letters stand sooner or later.
    state = re.sub(r'"ciphertext": "[^"]*"', "", json.dumps(deployed.state("local")))
    words = ("client-key-data", "BEGIN ", "eyJ", "AccountKey=", "client_secret")
    assert [each for each in words if each in state] == []


@pytest.mark.parametrize("stack", ["dev", "prod"])
def test_the_same_program_previews_for_a_subscription(captured: Callable[[str], Capture], stack: str) -> None:
    shown = captured(stack)
    assert set(shown.summary) == {"create"}
    assert shown.summary["create"] > 80
    assert shown.after == shown.before


WRONG = [
    ({"netwrok": {"addressSpace": "10.20.0.0/16"}}, "tributary:netwrok is not a setting. Did you mean network?"),
    ({"network": {"addressSpace": "10.20.0.0/33"}}, 'tributary:network.addressSpace is "10.20.0.0/33"'),
    ({"location": "eastus"}, 'tributary:location is "eastus". Allowed: austriaeast, '),
    ({"cluster": {"nodeCount": "three"}}, 'tributary:cluster.nodeCount is "three". Allowed: nodes, 1 to 100.'),
    ({"network": "hello"}, 'tributary:network is "hello". Allowed: an object.'),
]


@pytest.mark.parametrize(("wrong", "expected"), WRONG, ids=[next(iter(each[0])) for each in WRONG])
def test_a_wrong_setting_ends_in_one_clear_error_and_nothing_is_created(
    deployment: Deployment, wrong: dict[str, Any], expected: str
) -> None:
    deployment.configure("wrong", "local", **wrong)
    before = deployment.in_azure()
    with pytest.raises(EngineFailed) as failed:
        deployment.run("up", "wrong")
    said = failed.value.output[failed.value.output.index("Diagnostics:") :]
    assert said.count("error:") == 1
    assert expected in said
    assert "Correct Pulumi.wrong.yaml and run again." in said
    assert "Traceback" not in said
    assert deployment.in_azure() == before
    assert [each["type"] for each in deployment.state("wrong")] in ([], ["pulumi:pulumi:Stack"])
