"""``make evidence STACK=…``: judges a stack by the policies, and writes the folder that an auditor is handed."""

from __future__ import annotations

import argparse
import datetime
import hashlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

import yaml

from local.commands import engine
from local.commands.environment import environment, tools
from local.commands.rehearsal import rehearsal
from local.commands.running import command
from local.commands.states import exported, loaded
from local.instance import REPOSITORY, Instance
from policies import assessment, check, levels, pack, recording, waivers
from policies.deployed import VARIABLE as DEPLOYED
from policies.deployed import DeployedError
from policies.deployed import read as read_deployed
from policies.evidence.folder import write
from policies.evidence.subject import Evidence
from policies.subject import stack_of

RECORDER = REPOSITORY / "policies" / "recorder"
_CONFIGS = REPOSITORY / "policies" / "config"
_PACKAGES = ("pulumi", "pulumi-policy", "pulumi-azure-native", "pulumi-kubernetes")
_WRONG = (check.ConfigError, waivers.WaiverError, recording.RecordingError, DeployedError)


def evidence(
    judged: recording.Recording, stack: str, source: str, config: Path, before: Path | None = None
) -> Evidence:
    """A recording, judged. before: export of the deployed stack that it would change.

    Raises RuntimeError for a config, waivers or an export that can't be read, or is of another stack.
    """
    rules = pack.load()
    ours = {stack_of(each["urn"]) for each in judged.stack}
    try:
        check.check(config, {each.id: each for each in rules})
        granted = waivers.read(REPOSITORY / "policies" / "waivers.yaml", [each.id for each in rules])
        known = read_deployed(before) if before else None
    except _WRONG as error:
        raise RuntimeError(str(error)) from None
    if known and ours and known.stacks and ours.isdisjoint(known.stacks):
        theirs, judges = (", ".join(sorted(each)) or "empty" for each in (known.stacks, ours))
        raise RuntimeError(
            f"{before}:1: is the state of {theirs}; judged is {judges}. Export the stack that is judged."
        )
    at = datetime.datetime.now(datetime.UTC)
    return Evidence(
        assessment=assessment.assess(rules, judged, levels.Levels.read(config), granted, at.date(), known),
        stack=stack,
        source=source,
        at=at,
        digest=judged.digest,
        resources={each["urn"]: each["type"] for each in judged.stack},
        waivers=[each for each in granted if each.stack in ours],
        config=config.name,
        versions=versions(),
        before=f"{before.name}, SHA-256 {hashlib.sha256(before.read_bytes()).hexdigest()}" if before else "",
    )


def versions() -> dict[str, str]:
    """Everything that took part."""
    described = yaml.safe_load((REPOSITORY / "policies" / "PulumiPolicy.yaml").read_text())
    said = _said([tools(Instance.load())["pulumi"], "version"])
    return {
        "policy pack": str(described["version"]),
        "commit": _said(["git", "-C", str(REPOSITORY), "describe", "--always", "--dirty", "--abbrev=40"]),
        "Pulumi engine": said,
        **{each: version(each) for each in _PACKAGES},
        "Python": sys.version.split()[0],
    }


def _said(words: Sequence[str]) -> str:
    try:
        return subprocess.run(words, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def rehearsed(stack: str, path: Path) -> str:
    """Records a preview on an embedded Azure; returns what was judged, in words."""
    with rehearsal(stack) as stage:
        stage.pulumi("preview", "--policy-pack", str(RECORDER), variables={recording.VARIABLE: str(path)})
    return f"a preview of stack {stack} on an embedded Azure; nothing is deployed"


def deployed(stack: str, path: Path, *, state: bool) -> str:
    """Records the stack where it is kept: its state, or a preview of it. Returns what was judged, in words."""
    instance = Instance.load()
    variables = dict(os.environ)
    named = ["--stack", stack]
    if stack == engine.STACK:
        variables |= environment(instance)
        named += [] if state else ["--config-file", str(engine.stack_file(instance))]
    asked = ["policy", "analyze"] if state else ["preview", "--suppress-progress"]
    variables[recording.VARIABLE] = str(path)
    engine.elsewhere(instance, [*asked, *named, "--policy-pack", str(RECORDER)], REPOSITORY, variables)
    return f"the state of stack {stack}" if state else f"a preview of stack {stack}"


def of_file(file: Path, path: Path) -> tuple[str, str]:
    """Records the state in a file; returns the stack's name and what was judged, in words."""
    state = exported(file)
    with loaded(state) as (folder, variables):
        asked = ["policy", "analyze", "--stack", state.stack, "--policy-pack", str(RECORDER)]
        engine.elsewhere(Instance.load(), asked, folder, variables | {recording.VARIABLE: str(path)})
    return state.stack, f"the state in {file.name}, of stack {state.stack}"


def main() -> None:
    """Read the command line, record, judge, write."""
    parser = argparse.ArgumentParser(prog="make evidence", description=__doc__)
    parser.add_argument("--stack", default="")
    parser.add_argument("--from", dest="source", choices=["preview", "state"], default="preview")
    parser.add_argument("--state-file", type=Path)
    parser.add_argument("--config", type=Path)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    if not options.stack and not options.state_file:
        raise ValueError("Say which: make evidence STACK=prod, or STATE_FILE=<what `pulumi stack export` wrote>.")
    stack = options.stack
    with tempfile.TemporaryDirectory(prefix="tributary-evidence-") as scratch:
        path = Path(scratch) / "recording.json"
        if options.state_file:
            stack, source = of_file(options.state_file, path)
        elif options.source == "state" or "PULUMI_BACKEND_URL" in os.environ:
            source = deployed(stack, path, state=options.source == "state")
        else:
            source = rehearsed(stack, path)
        # A stack without anything has nothing to hand over.
        judged = recording.read(path) if path.exists() else recording.Recording([], [])
    config = options.config or _CONFIGS / f"{stack}.json"
    config = config if config.exists() or options.config else _CONFIGS / "prod.json"
    before = os.environ.get(DEPLOYED)
    made = evidence(judged, stack, source, config, Path(before) if before else None)
    folder = options.out or REPOSITORY / "build" / "evidence" / stack
    for each in write(folder, made):
        sys.stdout.write(f"{each}\n")
    told = ", ".join(f"{number} {status}" for status, number in made.counts().items())
    sys.stderr.write(f"{source[0].upper()}{source[1:]}: {told}.\n")


if __name__ == "__main__":
    command(main)
