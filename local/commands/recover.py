"""``make recover STACK=…``: take resources that exist, but that the stack's state does not know, into the state."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from pathlib import Path

from local.commands import engine
from local.commands.environment import environment
from local.commands.running import alone, command
from local.instance import REPOSITORY, Instance


def recover(instance: Instance, folder: Path = REPOSITORY, stack: str = engine.STACK) -> None:
    """Import what exists. Raises what the importer says."""
    variables = {**os.environ, **environment(instance), engine.ENGINE_VARIABLE: str(instance.state)}
    importlib.import_module("local.plugins.recover").recover(stack, variables)


def main() -> None:
    """Read the command line and recover a stack."""
    parser = argparse.ArgumentParser(prog="make recover STACK=…", description=__doc__)
    parser.add_argument("stack")
    options = parser.parse_args()
    instance = Instance.load()
    with alone(instance):
        engine.unlock(instance)
        recover(instance, stack=options.stack)
    sys.stderr.write(f"Stack {options.stack} knows everything that exists. Go on with `make up`.\n")


if __name__ == "__main__":
    command(main)
