"""``make reachability STACK=…``: who in a stack reaches whom, and which pairs of the table do not hold."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from local.commands.plan import plan
from local.commands.running import command
from policies.reachability.plan import Plan
from policies.reachability.reach import Reach
from policies.reachability.table import broken, matrix, rows


def main() -> None:
    """Read the command line; print the matrix, then the broken rows. Raises RuntimeError when there are any."""
    parser = argparse.ArgumentParser(prog="make reachability STACK=…", description=__doc__)
    parser.add_argument("stack")
    parser.add_argument("--table", type=Path, help="expectations, docs/reachability.md")
    options = parser.parse_args()
    reach = Reach(Plan(plan(options.stack)))
    sys.stdout.write(matrix(reach))
    found = list(broken(reach, rows(options.table))) if options.table else []
    for row in found:
        sys.stdout.write(f"{'open' if row.open else 'BROKEN'}: {row}. {row.open or row.why}\n")
    if any(not row.open for row in found):
        raise RuntimeError(f"Stack {options.stack} does not keep to {options.table}.")


if __name__ == "__main__":
    command(main)
