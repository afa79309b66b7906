"""What the engine shows of a stack of the program, with the policy pack: from one preview for all tests of a run."""

from __future__ import annotations

import fcntl
import json
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from local.commands.engine import EngineFailed
from local.commands.plan import Planned, planned
from local.commands.rehearsal import Stage, rehearsal
from local.instance import REPOSITORY
from local.plugins.azure_native.provider import FORETELL
from policies.recording import VARIABLE, Recording, read
from tests.azure_contents import contents

_PACK = REPOSITORY / "policies"


@dataclass(frozen=True)
class Capture:
    """One preview on an embedded Azure of its own; ids that resources will have are foretold.

    code: what the engine ended with. steps: as `pulumi preview --json` shows them. summary: their number by kind.
    violations: rule, level and URN of each that the engine reported. registered, stack: what packs were handed.
    before, after: what Azure knew.
    """

    code: int
    steps: list[dict[str, Any]]
    summary: dict[str, int]
    violations: list[tuple[str, str, str]]
    registered: list[dict[str, Any]]
    stack: list[dict[str, Any]]
    before: dict[str, list[str]]
    after: dict[str, list[str]]

    @property
    def recording(self) -> Recording:
        """The stack as policies judge it."""
        return Recording(self.registered, self.stack)

    @property
    def plan(self) -> list[Planned]:
        """The stack as `make arm`, `make reachability` and `make diagram` see it."""
        return planned(each["newState"] for each in self.steps if "newState" in each)


def captured(stack: str, kept: Path) -> Capture:
    """The capture of a stack that a folder keeps, made by whoever comes first, whichever process that is."""
    file = kept / f"capture-{stack}.json"
    with (kept / f"capture-{stack}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not file.exists():
            file.touch(0o600)  # packs get secrets in plain text
            try:
                file.write_text(json.dumps(asdict(previewed(stack))))
            except BaseException:
                file.unlink()
                raise
    return Capture(**json.loads(file.read_text()))


def previewed(stack: str) -> Capture:
    """A capture made anew. Raises EngineFailed when the engine ends for another reason than violations."""
    with tempfile.TemporaryDirectory() as folder, rehearsal(stack) as stage:
        events, recording = (Path(folder) / name for name in ("events.json", "recording.json"))
        before = contents(stage.instance)
        code, said = _asked(stage, stack, events, recording)
        digest, _ = json.JSONDecoder().raw_decode(said[said.index("{") :])
        kept = read(recording)
        return Capture(
            code=code,
            steps=digest["steps"],
            summary=digest["changeSummary"],
            violations=[found for line in events.read_text().splitlines() if (found := _violation(json.loads(line)))],
            registered=[dict(each) for each in kept.registered],
            stack=[dict(each) for each in kept.stack],
            before=before,
            after=contents(stage.instance),
        )


def _asked(stage: Stage, stack: str, events: Path, recording: Path) -> tuple[int, str]:
    none = recording.with_name("none.json")
    none.write_text("{}")
    packs = [(_PACK / "recorder", none), (_PACK, _PACK / "config" / f"{stack}.json")]
    arguments = [
        f"--policy-pack{key}={value}" for pack in packs for key, value in zip(("", "-config"), pack, strict=True)
    ]
    # The engine shows --event-log, where violations are, to those who debug it.
    variables = {VARIABLE: str(recording), FORETELL: "1", "PULUMI_DEBUG_COMMANDS": "1"}
    try:
        said = stage.pulumi("preview", "--json", f"--event-log={events}", *arguments, variables=variables)
    except EngineFailed as error:
        if not recording.exists():
            raise
        return error.code, error.output
    return 0, said


def _violation(event: Mapping[str, Any]) -> tuple[str, str, str] | None:
    found = event.get("policyEvent")
    return (found["policyName"], found["enforcementLevel"], found["resourceUrn"]) if found else None
