"""``make recover STACK=…``: take resources that exist, but that the stack's state does not know, into the state."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from local.commands import engine
from local.commands.environment import environment
from local.commands.running import alone, command
from local.instance import REPOSITORY, Instance


def recover(
    instance: Instance, folder: Path = REPOSITORY, stack: str = engine.STACK, *, thorough: bool = False
) -> list[str]:
    """Import what exists; one line for each resource taken. Raises RuntimeError saying what stood in the way.

    thorough: look for lost answers even when nothing says that the last update failed.
    """
    # Here and not above: it loads the plugins' code, which an `up` with nothing to recover need not wait for.
    from local.plugins.provider import ProviderError
    from local.plugins.recover import RecoveryError
    from local.plugins.recover import recover as take

    variables = {**os.environ, **environment(instance), engine.ENGINE_VARIABLE: str(instance.state)}
    settings = engine.stack_file(instance) if stack == engine.STACK else None
    try:
        return take(stack, variables, settings, folder=folder, thorough=thorough)
    except (RecoveryError, ProviderError) as error:
        raise RuntimeError(f"Stack {stack} could not be recovered: {error}") from None


def main() -> None:
    """Read the command line and recover a stack."""
    parser = argparse.ArgumentParser(prog="make recover STACK=…", description=__doc__)
    parser.add_argument("stack")
    options = parser.parse_args()
    instance = Instance.load()
    with alone(instance):
        engine.unlock(instance)
        taken = recover(instance, stack=options.stack, thorough=True)
    for line in taken:
        sys.stdout.write(f"{line}\n")
    sys.stderr.write(f"Stack {options.stack}: {len(taken)} resources taken into its state. Go on with `make up`.\n")


if __name__ == "__main__":
    command(main)
