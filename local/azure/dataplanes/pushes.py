"""``python -m local.azure.dataplanes.pushes``: what devices would have got from their push services."""

from __future__ import annotations

import argparse
import dataclasses
import datetime
import json
import sys
from pathlib import Path

from local.azure.dataplanes.notificationhubs import installations
from local.azure.dataplanes.notificationhubs.store import HubStore, Pushed, database
from local.instance import Instance


def describe(pushed: Pushed) -> str:
    """One line about a delivery, without the device's address."""
    at = datetime.datetime.fromtimestamp(pushed.at, datetime.UTC)
    told = json.dumps(pushed.body, ensure_ascii=False)
    return f"{at:%Y-%m-%d %H:%M:%S}Z  {pushed.platform:7}  {pushed.installation}  {pushed.outcome}  {told}"


def expire(store: HubStore, name: str) -> bool:
    """Have an installation's channel gone, as when an app is removed from a phone; whether there is one."""
    found = store.find(name)
    for hub, installation in found:
        store.put(hub, name, installations.expired(installation))
    return bool(found)


def main(arguments: list[str] | None = None) -> int:
    """Read the command line and print. Exit code 1 when there is nothing to show or to change."""
    parser = argparse.ArgumentParser(prog="python -m local.azure.dataplanes.pushes", description=__doc__)
    parser.add_argument("--state", type=Path, help="state folder of the instance (default: TRIBUTARY_STATE or .local)")
    parser.add_argument("--last", type=int, default=20, metavar="N", help="how many (default 20)")
    parser.add_argument("--json", action="store_true", help="one JSON object a delivery, with the device's address")
    parser.add_argument("--expire", metavar="INSTALLATION", help="its channel is gone from now on")
    options = parser.parse_args(arguments)
    if options.last < 1:
        parser.error(f"--last is {options.last}; allowed is 1 or more")
    folder = Instance.load(options.state).azure
    if not database(folder).exists():
        print(f"No hub: {database(folder)} is not there. Is the platform up (`make up`)?", file=sys.stderr)
        return 1
    store = HubStore(folder)
    if options.expire:
        known = expire(store, options.expire)
        print(f"{options.expire}: {'its channel is gone' if known else 'no such installation'}.")
        return 0 if known else 1
    found = store.pushed(options.last)
    for each in found:
        print(json.dumps(dataclasses.asdict(each)) if options.json else describe(each))
    if not found:
        print("Nothing was pushed yet.", file=sys.stderr)
    return 0 if found else 1


if __name__ == "__main__":
    sys.exit(main())
