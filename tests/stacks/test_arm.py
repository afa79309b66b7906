"""Every resource of every stack, as the request body that ARM gets, judged by Microsoft's published types."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from local.azure.arm.types import UNKNOWN, by_token
from tests.components.mocks import Registration
from tests.stacks.program import ROOT, STACKS, deployed

JUDGE = ROOT.parent / "shared" / "tools" / "check_arm.py"
_MADE_UP = ("object of ", "client of ", "/id/of/")
"""What our mocks answer with: known only after deployment."""


def hidden(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: hidden(each) for key, each in value.items()}
    if isinstance(value, list):
        return [hidden(each) for each in value]
    return UNKNOWN if isinstance(value, str) and value.startswith(_MADE_UP) else value


def request(resource: Registration) -> dict[str, Any]:
    known = by_token(resource.type)
    assert known, f"{resource.type} is not in the table of types: the embedded Azure would refuse it"
    path, body = known.to_arm(hidden(dict(resource.inputs)))
    own = path.split("/providers/")[-1].split("/") if "/providers/" in path else path.strip("/").split("/")
    return {"type": known.type, "apiVersion": known.version, "name": "/".join(own[2::2]) or own[-1], **body}


@pytest.mark.skipif(not JUDGE.exists(), reason=f"{JUDGE} is not beside this checkout")
@pytest.mark.parametrize("stack", STACKS)
def test_azures_published_types_accept_every_resource(stack: str, tmp_path: Path) -> None:
    bodies = [request(each) for each in deployed(stack).resources if each.type.startswith("azure-native:")]
    assert len(bodies) > 40
    file = tmp_path / f"{stack}.json"
    file.write_text(json.dumps(bodies, indent=1))
    judged = subprocess.run([sys.executable, JUDGE, file], capture_output=True, text=True, check=False)
    errors = [line for line in judged.stdout.splitlines() if ": " in line and "warning: " not in line]
    assert judged.returncode == 0, judged.stdout + judged.stderr
    assert not [line for line in errors if "/" in line.split(":")[0]], "\n".join(errors)
