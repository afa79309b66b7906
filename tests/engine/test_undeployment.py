"""The program destroyed by the real engine. Last by its name: what needs the platform up has run before it."""

from __future__ import annotations

import json
import os
import subprocess
from typing import Any

import pytest

from local.commands.environment import environment
from tests.engine.deployment import Deployment


def kubectl(deployment: Deployment, *arguments: str) -> Any:
    program = [str(deployment.instance.bin / "kubectl"), *arguments, "-o", "json"]
    done = subprocess.run(
        program, env={**os.environ, **environment(deployment.instance)}, check=True, capture_output=True, text=True
    )
    return json.loads(done.stdout)["items"]


def test_destroying_leaves_nothing_behind(deployed: Deployment) -> None:
    before = deployed.in_azure()
    deployed.run("destroy", "local")

    assert deployed.state("local") == []
    after = deployed.in_azure()
    assert after["groups"] == after["deleted vaults"] == []
    # The deployer's own role is all there is, as before there was anything.
    assert after["resources"] == after["assignments"]
    assert len(after["assignments"]) == 1
    assert set(after["assignments"]) <= set(before["assignments"])
    namespaces = {each["metadata"]["name"] for each in kubectl(deployed, "get", "namespaces")}
    assert namespaces == {"default", "kube-node-lease", "kube-public", "kube-system"}
    assert kubectl(deployed, "get", "pods", "--all-namespaces") == []


@pytest.mark.full
@pytest.mark.timeout(1200)  # two updates and a destruction
def test_after_a_destruction_the_same_names_can_be_used_again(deployed: Deployment) -> None:
    made = deployed.outputs("local")
    deployed.run("destroy", "local")
    deployed.run("up", "local")
    again = deployed.outputs("local")
    assert (again["cluster"], again["uploads"]) == (made["cluster"], made["uploads"])
