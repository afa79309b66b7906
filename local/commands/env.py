"""``make env``: the exports that let a person use pulumi, kubectl and Azure's clients: ``eval "$(make env)"``.

A `pulumi up` or `preview` by hand takes ``--config-file "$TRIBUTARY_STACK_FILE"``: it holds this instance's address and
the salt of its passphrase, which pulumi would otherwise write into the repository's Pulumi.local.yaml.
"""

from __future__ import annotations

import shlex
import sys

from local.commands.environment import environment
from local.commands.running import command
from local.instance import Instance


def exports(variables: dict[str, str]) -> str:
    """Lines that any POSIX shell evaluates."""
    return "".join(f"export {name}={shlex.quote(value)}\n" for name, value in variables.items())


def main() -> None:
    """Print the exports of this instance."""
    sys.stdout.write(exports(environment(Instance.load())))


if __name__ == "__main__":
    command(main)
