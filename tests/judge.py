"""The outside judge of ARM request bodies: Microsoft's published types, beside the checkout on CI."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from local.instance import REPOSITORY

JUDGE = REPOSITORY.parent / "shared" / "tools" / "check_arm.py"
needs_judge = pytest.mark.skipif(not JUDGE.exists(), reason=f"{JUDGE} is not beside this checkout")
WITHOUT_SCHEMA = {
    "Microsoft.Network/firewallPolicies/ruleCollectionGroups",
    "Microsoft.Web/sites/slots/basicPublishingCredentialsPolicies",
}
"""Types in use that Microsoft publishes no schema of."""
BOOTSTRAP_WITHOUT_SCHEMA = {
    "Microsoft.Compute/virtualMachineScaleSets",
    "Microsoft.Network/virtualNetworks/virtualNetworkPeerings",
}
"""Types of the bootstrap that the folder of published types holds no schema of."""


@dataclass(frozen=True)
class Judgement:
    """What the judge's lines say. checked: how many bodies. unknown: types that it has no schema of."""

    checked: int
    errors: list[str]
    warnings: list[str]
    unknown: set[str]


def judged(bodies: list[dict[str, Any]], folder: Path) -> Judgement:
    """The judgement on bodies, each with its type, apiVersion and name."""
    file = folder / "bodies.json"
    file.write_text(json.dumps(bodies, indent=1))
    done = subprocess.run([sys.executable, JUDGE, file], capture_output=True, text=True, check=False)
    *lines, summary = done.stdout.splitlines()
    assert summary.startswith("checked "), done.stdout + done.stderr
    found = [each for each in lines if not each.startswith("note: ")]
    unknown = [each for each in found if each.endswith(": /type: unknown type")]
    warnings = [each for each in found if ": warning: " in each]
    errors = [each for each in found if each not in unknown and each not in warnings]
    assert f" {len(errors)} errors, {len(warnings)} warnings, {len(unknown)} of unknown type" in summary, done.stdout
    return Judgement(int(summary.split()[1]), errors, warnings, {each.split()[1].rstrip(":") for each in unknown})
