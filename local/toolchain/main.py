"""Gets everything that is missing, side by side, and writes down where it is; then runs a command with it.

``python3 -m local.toolchain`` gets all; ``--for tests`` adds what only tests need; ``--only python`` the virtual
environment alone. ``run MODULE ARGUMENTS…`` goes on with ``python -m MODULE`` of the virtual environment.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import FrameType
from typing import NoReturn

from local.instance import Instance
from local.toolchain import cache, golang, machine, packages, plugins, process, programs, runtimes
from local.toolchain.errors import ToolchainError
from local.toolchain.progress import Progress

_FOR_TESTS = ("java", "wiremock", "mcs", "mono")
TOOLS_VARIABLE = "TRIBUTARY_TIMINGS"
"""Hands the toolchain's part of the timings to the command that follows, as JSON."""


def main() -> NoReturn:
    """Read the command line, get the tools, and become the command."""
    parser = argparse.ArgumentParser(prog="python -m local.toolchain", description=__doc__)
    parser.add_argument("--for", dest="purpose", choices=["up", "tests"], default="up")
    parser.add_argument("--only", choices=["python", "constraints"])
    parser.add_argument("command", nargs=argparse.REMAINDER, help="run MODULE ARGUMENTS…")
    options = parser.parse_args()
    if options.command and (options.command[0] != "run" or len(options.command) < 2):
        parser.error(f"{options.command[0]!r} is not known; allowed is: run MODULE ARGUMENTS…")
    for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(name, _stop)
    progress = Progress()
    try:
        instance = Instance.load()
        if options.only == "constraints":
            with progress.step("pinning every package"):
                packages.compile_constraints()
            sys.exit(0)
        with progress.step("toolchain", of_several=True):
            tools = (
                {"python": str(_environment(progress))} if options.only else get(progress, instance, options.purpose)
            )
    except (ToolchainError, process.CommandFailed, ValueError) as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(1)
    if not options.command:
        sys.exit(0)
    os.environ[TOOLS_VARIABLE] = json.dumps({"start": progress.start, "timings": progress.timings})
    sys.stderr.flush()
    python = tools["python"]
    os.execv(python, [python, "-m", *options.command[1:]])  # noqa: S606  # this process has nothing left to do


def _environment(progress: Progress) -> Path:
    ready = packages.environment_python()
    if ready:
        return packages.environment()
    with progress.step("Python packages"):
        return packages.environment()


def get(progress: Progress, instance: Instance, purpose: str = "up") -> dict[str, str]:
    """Get all tools and write ``tools.json`` and the launchers. Returns name → absolute path.

    Raises ToolchainError naming everything that could not be had, not just the first.
    """

    def runtime() -> dict[str, Path]:
        with progress.step("Node"):
            node = runtimes.node()
        with progress.step("Azurite"):
            return {"node": node, "azurite": runtimes.azurite(node)}

    def database() -> dict[str, Path]:
        with progress.step("PostgreSQL"):
            return {"postgres": runtimes.postgres()}

    def source(one: programs.Source) -> Callable[[], dict[str, Path]]:
        def got() -> dict[str, Path]:
            with progress.step(", ".join(one.programs)):
                return programs.get(one)

        return got

    tasks = [*map(source, programs.ALL), lambda: {"python": _environment(progress)}, runtime, database]
    with ThreadPoolExecutor(len(tasks) + 2) as pool:
        pending: list[Future[dict[str, Path]]] = [pool.submit(task) for task in tasks]
        optional = [pool.submit(each, progress) for each in (_recorded_banks, _csharp)] if purpose == "tests" else []
        failures = [error for each in pending if (error := each.exception()) is not None]
        for error in failures:
            if not isinstance(error, (ToolchainError, OSError)):
                raise error
        if failures:
            raise ToolchainError("\n".join(map(str, failures)))
        found = {name: path for each in pending for name, path in each.result().items()}
        found |= {name: path for each in optional for name, path in each.result().items()}
    golang.clean()
    tools = _kept(instance) | {name: str(path) for name, path in found.items()}
    with progress.step("Pulumi's plugins"):
        official = plugins.official_providers(Path(tools["pulumi"]))
        instance.keep()
        stand_ins = plugins.write_launchers(instance.bin, tools, official)
    cache.write(instance.state / "tools.json", json.dumps(tools, indent=1) + "\n")
    cache.write(instance.state / "stand-ins.json", json.dumps(stand_ins) + "\n")
    return tools


def _kept(instance: Instance) -> dict[str, str]:
    """What only tests need stays known when `make up` runs after them."""
    try:
        kept = json.loads((instance.state / "tools.json").read_text())
    except (OSError, ValueError):
        return {}
    return {name: kept[name] for name in _FOR_TESTS if name in kept and Path(kept[name]).exists()}


def _csharp(progress: Progress) -> dict[str, Path]:
    """A C# compiler. Tests that execute the gateway's expressions skip, with the reason, where it can't be had."""
    try:
        with progress.step("C#"):
            return machine.csharp()
    except ToolchainError as error:
        progress.say(f"{error}\n  Tests that execute the gateway's expressions are skipped.")
        return {}


def _recorded_banks(progress: Progress) -> dict[str, Path]:
    """Java and WireMock. Tests that need them skip, with the reason, where they can't be had."""
    try:
        with progress.step("Java"):
            java = runtimes.java()
        with progress.step("WireMock"):
            return {"java": java, "wiremock": runtimes.wiremock()}
    except ToolchainError as error:
        progress.say(f"{error}\n  Tests with recorded banks are skipped.")
        return {}


def _stop(number: int, _frame: FrameType | None) -> NoReturn:
    sys.stderr.write("\nInterrupted. Run the same command again: it goes on where it was.\n")
    sys.stderr.flush()
    process.end_all()
    time.sleep(0)
    os._exit(128 + number)
