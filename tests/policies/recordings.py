"""What the engine hands to the pack for a whole stack, from one preview on an embedded Azure."""

from __future__ import annotations

import tempfile
from pathlib import Path

from local.commands.rehearsal import rehearsal
from local.instance import REPOSITORY
from local.plugins.azure_native.provider import FORETELL
from policies.recording import VARIABLE, Recording, read

RECORDER = REPOSITORY / "policies" / "recorder"


def recorded(stack: str) -> Recording:
    """A stack of the program, as its preview shows it; ids that resources will have are foretold."""
    with tempfile.TemporaryDirectory() as folder, rehearsal(stack) as stage:
        path = Path(folder) / "recording.json"
        stage.pulumi("preview", "--policy-pack", str(RECORDER), variables={VARIABLE: str(path), FORETELL: "1"})
        return read(path)
