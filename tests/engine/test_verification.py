"""`make verify-azure` as a whole, with the embedded Azure in Azure's place. Last by its name: it destroys the stack."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from local.commands.environment import environment
from local.instance import REPOSITORY
from tests.engine.deployment import Deployment

STACK = "local"


@pytest.mark.full
@pytest.mark.timeout(2400)  # an update, a journey, a destruction, and all requests once more
def test_a_stack_is_recorded_replayed_and_found_alike(deployment: Deployment, tmp_path: Path) -> None:
    if not (deployment.folder / f"Pulumi.{STACK}.yaml").exists():
        deployment.configure(STACK, "local")
    if deployment.state(STACK):
        deployment.run("destroy", STACK)
    cloud, recording = deployment.instance, tmp_path / "recording.jsonl"
    journey = f"{sys.executable} -m tests.end_to_end.journey --people made --through loopback"
    options = ("--folder", deployment.folder, "--upstream", f"https://{cloud.arm}", "--keep", recording)
    done = subprocess.run(
        [sys.executable, "-m", "tests.verification", STACK, *options, "--journey", journey, "--yes", "--destroy"],
        cwd=REPOSITORY,
        env={**os.environ, **environment(cloud), "TRIBUTARY_STATE": str(cloud.state)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert "Every service has erased it." in done.stdout
    assert ", 0 differences." in done.stderr
    sent = [json.loads(each) for each in recording.read_text().splitlines()]
    assert {"PUT", "GET", "DELETE"} <= {each["method"] for each in sent}
    assert deployment.state(STACK) == []
