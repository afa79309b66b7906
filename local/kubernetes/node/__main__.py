"""``python -m local.kubernetes.node --state DIR``: runs the node agent until it is told to end."""

from __future__ import annotations

import argparse
import asyncio
import logging
from pathlib import Path

from local.instance import Instance
from local.kubernetes.node.agent import Agent


def main() -> None:
    """Parse the command line and run."""
    parser = argparse.ArgumentParser(prog="node-agent", description=__doc__)
    parser.add_argument("--state", type=Path, required=True, help="state folder of the instance")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    asyncio.run(Agent(Instance.load(arguments.state)).run())


if __name__ == "__main__":
    main()
