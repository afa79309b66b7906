"""``python -m local.azure --state DIR``: the embedded Azure as a daemon, until it is told to stop."""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import signal
import sys
from pathlib import Path

from local.azure.daemon import AzureDaemon
from local.azure.daemons import prepare
from local.instance import Instance


async def _run(instance: Instance) -> None:
    daemon = AzureDaemon(instance)
    stopped = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stopped.set)
    await daemon.start()
    await stopped.wait()
    await daemon.stop()


def main() -> None:
    """Read the command line, prepare what is missing, serve."""
    parser = argparse.ArgumentParser(prog="python -m local.azure", description=__doc__)
    parser.add_argument("--state", type=Path, required=True, help="state folder of the instance")
    options = parser.parse_args()
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("aiohttp.access").setLevel(logging.WARNING)
    instance = Instance.load(options.state)
    instance.keep()
    tools = instance.state / "tools.json"
    prepare(instance, json.loads(tools.read_text()) if tools.exists() else {})
    try:
        asyncio.run(_run(instance))
    except OSError as error:
        sys.exit(
            f"The embedded Azure could not start: {error}. Is another one running on port base {instance.port_base}?"
        )


if __name__ == "__main__":
    main()
