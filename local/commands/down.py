"""``make down`` and ``make clean``: stop everything of an instance, and remove its state; the cache stays."""

from __future__ import annotations

import argparse
import shutil
import sys

from local.commands import engine
from local.commands.running import alone, command
from local.instance import Instance
from local.supervision.supervisor import Supervisor
from local.toolchain.progress import Progress


def down(instance: Instance, progress: Progress) -> None:
    """Stop the daemons, the pods and an engine that a killed run left."""
    engine.end_left_behind(instance)
    Supervisor(instance, progress).down()


def clean(instance: Instance, progress: Progress) -> None:
    """Stop everything and remove the state folder."""
    down(instance, progress)
    with progress.step("removing the state"):
        shutil.rmtree(instance.state, ignore_errors=True)
    if instance.state.exists():
        raise RuntimeError(f"{instance.state} could not be removed completely; remove it by hand.")


def main() -> None:
    """Read the command line, stop, and remove when asked to."""
    parser = argparse.ArgumentParser(prog="make down", description=__doc__)
    parser.add_argument("--clean", action="store_true", help="remove the state too")
    options = parser.parse_args()
    instance, progress = Instance.load(), Progress()
    if not instance.state.exists():
        sys.stderr.write(f"There is nothing in {instance.state}.\n")
        return
    with alone(instance):
        (clean if options.clean else down)(instance, progress)
    sys.stderr.write(f"{'Removed' if options.clean else 'Stopped'}: {instance.state}\n")


if __name__ == "__main__":
    command(main)
