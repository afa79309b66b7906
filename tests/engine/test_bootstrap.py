"""The bootstrap through the real engine: up, again with no change, destroyed with nothing left."""

from __future__ import annotations

import shutil
from pathlib import Path

from local.instance import REPOSITORY, TENANT_ID
from tests.bootstrap.program import CONFIG
from tests.engine.deployment import Deployment, changes
from tests.engine.program import Program


def test_the_bootstrap_comes_and_goes(deployment: Deployment, tmp_path: Path) -> None:
    shutil.copytree(REPOSITORY / "bootstrap", tmp_path / "bootstrap", ignore=shutil.ignore_patterns("__pycache__"))
    before = deployment.in_azure()
    program = Program(deployment.instance, tmp_path / "bootstrap", "main")
    program.init(
        CONFIG
        | {
            # A vault that is protected from purging keeps its name, and the network of prod is not there.
            "tributary-bootstrap:purgeProtection": "false",
            "tributary-bootstrap:peers": {},
            "tributary-bootstrap:signIn": {"tenantId": TENANT_ID, "graph": f"https://{deployment.instance.arm}"},
        }
    )
    program.run("up")
    made = program.outputs()
    assert set(made["environments"]) == {"dev", "prod"}
    assert made["environments"]["dev"]["backend"].startswith("azblob://state-dev?storage_account=")
    assert made["environments"]["dev"]["secretsProvider"].startswith("azurekeyvault://")
    # What a person's roles are given at, by the commands of docs/deploy.md.
    assert made["environments"]["dev"]["container"].endswith("/containers/state-dev")
    assert made["environments"]["dev"]["key"].endswith("/keys/pulumi-dev")
    assert made["environments"]["dev"]["signIn"]["clientId"]
    assert changes(program.run("up", "--refresh", "--expect-no-changes")) == []
    program.run("destroy")
    assert program.state() == []
    assert deployment.in_azure() == before
