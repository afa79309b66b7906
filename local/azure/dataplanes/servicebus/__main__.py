"""``python -m local.azure.dataplanes.servicebus --state DIR``: the Service Bus broker, until it is told to stop."""

from __future__ import annotations

import argparse
import asyncio
import logging
import signal
import sys
from pathlib import Path

from local.azure.dataplanes.servicebus.server import BrokerServer
from local.instance import Instance


async def _run(instance: Instance) -> None:
    server = BrokerServer(instance)
    stopped = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stopped.set)
    await server.start()
    await stopped.wait()
    await server.stop()


def main() -> None:
    """Read the command line and serve."""
    parser = argparse.ArgumentParser(prog="python -m local.azure.dataplanes.servicebus", description=__doc__)
    parser.add_argument("--state", type=Path, required=True, help="state folder of the instance")
    options = parser.parse_args()
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    asyncio.run(_run(Instance.load(options.state)))


if __name__ == "__main__":
    main()
