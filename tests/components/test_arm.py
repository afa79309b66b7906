"""Every block alone, with everything it can do, as the bodies that ARM gets, judged by Microsoft's published types."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
from pathlib import Path

import pytest

from local.azure.arm.types import by_token
from local.azure.arm.validate import Judge
from tests.components.samples import BLOCKS, made
from tests.components.secrets import revealed
from tests.stacks.test_arm import JUDGE, hidden, request

NOT_JUDGED = {"azure-native:web:WebAppFtpAllowedSlot", "azure-native:web:WebAppScmAllowedSlot"}
"""Types in use that Microsoft publishes no schema of."""


@pytest.mark.skipif(not JUDGE.exists(), reason=f"{JUDGE} is not beside this checkout")
def test_azures_published_types_accept_every_resource_of_every_block(tmp_path: Path) -> None:
    resources = [each for name in BLOCKS for each in made(name).resources if each.type.startswith("azure-native:")]
    bodies = [
        request(dataclasses.replace(each, inputs=revealed(each.inputs)))
        for each in resources
        if each.type not in NOT_JUDGED
    ]
    file = tmp_path / "blocks.json"
    file.write_text(json.dumps(bodies, indent=1))
    judged = subprocess.run([sys.executable, JUDGE, "--strict", file], capture_output=True, text=True, check=False)
    assert judged.returncode == 0, judged.stdout + judged.stderr
    assert len(bodies) > 80
    assert {each.type for each in resources} >= NOT_JUDGED


def test_the_embedded_azure_would_take_every_body_of_every_block() -> None:
    for name in BLOCKS:
        for each in made(name).resources:
            known = by_token(each.type)
            if known:
                _, body = known.to_arm(hidden(revealed(dict(each.inputs))))
                Judge(known, body, None, pinned=True).check([])
            else:
                assert each.type.startswith("tributary:"), f"{each.type} is not in the table of types"
