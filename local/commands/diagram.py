"""``make diagram STACK=…``: draws a stack from its plan, docs/pictures/architecture.svg for prod."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from local.commands.plan import plan
from local.commands.running import command
from local.instance import REPOSITORY
from policies.diagram.picture import picture
from policies.diagram.svg import svg

PICTURE = REPOSITORY / "docs" / "pictures" / "architecture.svg"


def title(stack: str) -> str:
    """What stands above the picture of a stack."""
    return f"Stack {stack}, drawn from its plan"


def main() -> None:
    """Read the command line and write the picture."""
    parser = argparse.ArgumentParser(prog="make diagram STACK=…", description=__doc__)
    parser.add_argument("stack")
    parser.add_argument(
        "--to", type=Path, default=PICTURE, help="file to write, default docs/pictures/architecture.svg"
    )
    options = parser.parse_args()
    options.to.write_text(svg(picture(plan(options.stack), title(options.stack))))
    sys.stderr.write(f"{options.to} is drawn.\n")


if __name__ == "__main__":
    command(main)
