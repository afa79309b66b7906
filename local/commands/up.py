"""``make up``: the daemons, the stack, what a killed run left, the update, and a table of what is where."""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
from pathlib import Path

from local.commands import engine, recover, table
from local.commands.daemons import prepare
from local.commands.environment import tools
from local.commands.running import alone, command
from local.instance import REPOSITORY, Instance
from local.supervision.supervisor import Supervisor
from local.toolchain.progress import Progress

_STATE = re.compile(r"^ *(?:\+\+|\+-|-\+|[-+~=])? *(\S+:\S+:\S+) +(\S+) +(creat|updat|delet|replac|import)(\w+)")
_EXISTS = re.compile(r"cannot create already existing resource|already exists", re.IGNORECASE)


def up(instance: Instance, progress: Progress, folder: Path = REPOSITORY) -> None:
    """Bring everything up; safe to run again at any time. Raises what `local.commands.running` tells."""
    with progress.step("keys, certificates, configuration"):
        daemons = prepare(instance, tools(instance))
    with progress.step("daemons", of_several=True):
        Supervisor(instance, progress).up(daemons)
    with progress.step("stack"):
        engine.unlock(instance, folder)
        engine.ensure_stack(instance, folder)
        engine.stack_file(instance)
    unfinished = instance.state / "update-unfinished"
    if unfinished.exists() or engine.pending_operations(instance, folder):
        with progress.step("recovering what the last update left"):
            recover.recover(instance, folder)
    unfinished.touch()
    try:
        update(instance, progress, folder)
    except engine.EngineFailed as error:
        # A create whose answer was lost: the resource is there, the state does not know (pulumi-azure-native#4761).
        if not _EXISTS.search(error.output):
            raise
        with progress.step("recovering resources that exist already"):
            recover.recover(instance, folder, thorough=True)
        update(instance, progress, folder)
    unfinished.unlink()


def update(instance: Instance, progress: Progress, folder: Path = REPOSITORY) -> None:
    """Run the engine's update; a line for each resource that changes."""
    log = instance.logs / "pulumi-up.log"
    with progress.step("pulumi up"), log.open("w") as file:
        diagnostics: list[str] = []

        def line(text: str) -> None:
            file.write(text + "\n")
            file.flush()
            if text.startswith("Diagnostics:") or diagnostics:
                diagnostics.append(text)
            elif (found := _STATE.match(text)) and not found.group(4).startswith("ing"):
                progress.say(f"  {found.group(3)}{found.group(4)} {found.group(1)} {found.group(2)}")

        arguments = ("up", "--yes", "--skip-preview", "--suppress-outputs", *engine.stack_arguments(instance))
        try:
            engine.pulumi(instance, *arguments, folder=folder, on_line=line)
        except engine.EngineFailed as error:
            kept = [each for each in diagnostics if "warning: using pulumi-" not in each]
            raise engine.EngineFailed(error.code, "\n".join(kept) or error.output) from None


def main() -> None:
    """Read the command line and bring the platform up."""
    parser = argparse.ArgumentParser(prog="make up", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print the table as JSON")
    options = parser.parse_args()
    given = json.loads(os.environ.pop("TRIBUTARY_TIMINGS", "null")) or {}
    progress = Progress(given.get("start"))
    progress.timings += [(name, seconds) for name, seconds in given.get("timings", ()) if name == "toolchain"]
    instance = Instance.load()
    with alone(instance):
        up(instance, progress)
        rows = table.rows(instance)
    sys.stdout.write(table.as_json(rows, progress) if options.json else table.as_text(instance, rows, progress))


if __name__ == "__main__":
    command(main)
