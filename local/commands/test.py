"""``make test`` and ``make test-full``: lint, types, tests; each step with its time, every skip with its reason."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys

from local.commands.environment import tools
from local.instance import REPOSITORY, Instance
from local.toolchain.progress import Progress

_LINT = {
    "ruff check": ["ruff", "check", "."],
    "ruff format": ["ruff", "format", "--check", "."],
    "types (pyrefly)": ["pyrefly", "check", "--python-interpreter-path", sys.executable],
}
_WORKERS = 2


def _run(name: str, arguments: list[str], progress: Progress) -> bool:
    """Whether a step passed; what it says is shown as it comes."""
    instance = Instance.load()
    found = {**os.environ, "PATH": f"{instance.bin}{os.pathsep}{os.environ.get('PATH', '')}"}
    progress.say(name)
    with progress.step(name):
        done = subprocess.run(
            [sys.executable, "-m", *arguments], cwd=REPOSITORY, env=found, stdin=subprocess.DEVNULL, check=False
        )
    return done.returncode == 0


def main() -> None:
    """Read the command line, run the steps, exit with 1 when one failed."""
    parser = argparse.ArgumentParser(prog="make test", description=__doc__)
    parser.add_argument("--full", action="store_true", help="the slow sweeps instead")
    parser.add_argument("--lint", action="store_true", help="lint and types only")
    options, more = parser.parse_known_args()
    progress = Progress()
    failed = []
    if not options.full:
        failed = [name for name, arguments in _LINT.items() if not _run(name, arguments, progress)]
    if not options.lint:
        tools(Instance.load())
        chosen = "full" if options.full else "not full"
        arguments = ["pytest", "-q", "-m", chosen, "-n", str(_WORKERS), "--dist", "loadgroup", *more]
        if not _run("tests", arguments, progress):
            failed.append("tests")
    for name, seconds in progress.timings:
        sys.stderr.write(f"  {name:<20} {seconds:7.1f} s  {'failed' if name in failed else 'passed'}\n")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
