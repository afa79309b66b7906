"""``make arm STACK=…``: every resource of a stack as the body of the request that Resource Manager gets, as JSON."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable
from typing import Any

from local.azure.arm.types import by_token
from local.commands.plan import Planned, plan
from local.commands.running import command
from local.instance import SUBSCRIPTION_ID
from local.plugins.azure_native import mapping

_NATIVE = "azure-native:"


def bodies(resources: Iterable[Planned]) -> list[dict[str, Any]]:
    """A body a resource of azure-native, with type, apiVersion and name ("registries/replications": "reg/westeurope").

    Raises ValueError for a type that the table of types lacks.
    """
    return [_body(each) for each in resources if each.token.startswith(_NATIVE)]


def _body(resource: Planned) -> dict[str, Any]:
    kind = by_token(resource.token)
    if kind is None:
        raise ValueError(f"{resource.urn}: {resource.token} is not in the table of types (local/azure/arm).")
    path, body = mapping.to_arm(kind, resource.inputs, SUBSCRIPTION_ID)
    own = path.split("/providers/")[-1].split("/") if "/providers/" in path else path.strip("/").split("/")
    return {"type": kind.type, "apiVersion": kind.version, "name": "/".join(own[2::2]) or own[-1], **body}


def main() -> None:
    """Read the command line and print the bodies of a stack."""
    parser = argparse.ArgumentParser(prog="make arm STACK=…", description=__doc__)
    parser.add_argument("stack")
    options = parser.parse_args()
    sys.stdout.write(json.dumps(bodies(plan(options.stack)), indent=1) + "\n")


if __name__ == "__main__":
    command(main)
