"""Recorder: a pack without demands that writes what the engine hands to packs to the file TRIBUTARY_RECORDING.

It serves evidence and the mutation gate, which judge that in a process of their own. Secrets are in it in plain text,
as packs get them: only its owner may read the file, and who asked for it removes it.
"""

import json
import os
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
# The engine runs this file with the pack's own folder in front, where nothing is called policies.
sys.path[:] = [str(HERE.parent.parent), *(each for each in sys.path if Path(each or ".").resolve() != HERE)]

import pulumi_policy as crossguard  # noqa: E402

from policies.recording import VARIABLE, plain  # noqa: E402

_registered: dict[str, dict[str, Any]] = {}


def _keep(args: crossguard.ResourceValidationArgs, _report: crossguard.ReportViolation) -> None:
    _registered[args.urn] = plain(args, {})


def _write(args: crossguard.StackValidationArgs, _report: crossguard.ReportViolation) -> None:
    kept = {
        "registered": list(_registered.values()),
        "stack": [
            plain(each, {key: [used.urn for used in value] for key, value in each.property_dependencies.items()})
            for each in args.resources
        ],
    }
    path = Path(os.environ[VARIABLE])
    path.touch(0o600)
    path.write_text(json.dumps(kept), encoding="utf-8")


_LEVEL = crossguard.EnforcementLevel.ADVISORY
crossguard.PolicyPack(
    "tributary-recorder",
    [
        crossguard.ResourceValidationPolicy(
            name="registered", description="Keeps each resource.", validate=_keep, enforcement_level=_LEVEL
        ),
        crossguard.StackValidationPolicy(
            name="stack", description="Writes all that was kept.", validate=_write, enforcement_level=_LEVEL
        ),
    ],
)
