"""The whole program under mocks, and the stack files it is run with."""

from __future__ import annotations

import functools
import runpy
from pathlib import Path
from typing import Any

import yaml

from tests.components.mocks import TENANT, Registered, run

NOBODYS = "00000000-0000-0000-0000-000000000000"
"""Tenant of the stack files as they are committed."""
ROOT = Path(__file__).resolve().parent.parent.parent
_IMAGES = {"digests": "tests/stacks/images.json"}
STACKS = ("local", "dev", "prod")


def config(stack: str) -> dict[str, Any]:
    """What a stack's file says, as the engine hands it over; with what an update asks for, and images by digest."""
    text = (ROOT / f"Pulumi.{stack}.yaml").read_text().replace(NOBODYS, TENANT)
    public = {f"tributary:{each}": {"allowedAddresses": ["203.0.113.7"]} for each in ("cluster", "vault")}
    return yaml.safe_load(text)["config"] | {"tributary:images": _IMAGES} | (public if stack == "dev" else {})


@functools.cache
def deployed(stack: str, *, preview: bool = False) -> Registered:
    """What the program registers for a stack."""
    return run(lambda: runpy.run_path(str(ROOT / "__main__.py")), config=config(stack), stack=stack, preview=preview)
