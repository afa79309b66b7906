"""The whole program under mocks, and the stack files it is run with."""

from __future__ import annotations

import functools
import runpy
from pathlib import Path
from typing import Any

import yaml

from tests.components.mocks import Registered, run

ROOT = Path(__file__).resolve().parent.parent.parent
_IMAGES = {"digests": "tests/stacks/images.json"}
STACKS = ("local", "dev", "prod")


def config(stack: str) -> dict[str, Any]:
    """What a stack's file says, as the engine hands it over; with images for what takes them by digest."""
    return yaml.safe_load((ROOT / f"Pulumi.{stack}.yaml").read_text())["config"] | {"tributary:images": _IMAGES}


@functools.cache
def deployed(stack: str, *, preview: bool = False) -> Registered:
    """What the program registers for a stack."""
    return run(lambda: runpy.run_path(str(ROOT / "__main__.py")), config=config(stack), stack=stack, preview=preview)
