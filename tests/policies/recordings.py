"""What the engine hands to the pack for a whole stack, from one preview on an embedded Azure."""

from __future__ import annotations

import tempfile
from pathlib import Path

from local.commands.rehearsal import rehearsal
from local.instance import REPOSITORY
from local.toolchain.progress import Progress
from policies.recording import VARIABLE, Recording, read

RECORDER = REPOSITORY / "policies" / "recorder"


def recorded(stack: str) -> Recording:
    """A stack of the program, as its preview shows it."""
    with tempfile.TemporaryDirectory() as folder, rehearsal(stack, Progress()) as stage:
        path = Path(folder) / "recording.json"
        stage.preview("--policy-pack", str(RECORDER), variables={VARIABLE: str(path)})
        return read(path)
