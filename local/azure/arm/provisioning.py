"""Provisioning times: how long Azure typically takes to create a resource of a type, passed on request, scaled.

``PUT /provisioning`` with the token of the subscription's Owner and ``{"factor": 0.1}`` makes every creation from then
on take a tenth of what the table says; 0, as a daemon starts, none. ``GET /provisioning`` says the factor. Updates and
deletions take no time. The table is ``provisioning.json``; docs/deviations/resource-manager.md says where its figures
are from.
"""

from __future__ import annotations

import asyncio
import functools
import json
from pathlib import Path
from typing import Any

from local.azure.context import ArmError

_TABLE = Path(__file__).with_name("provisioning.json")


@functools.cache
def _table() -> dict[str, float]:
    read = json.loads(_TABLE.read_text())
    return {"": read["default"]["seconds"], **{name.lower(): each["seconds"] for name, each in read["types"].items()}}


def typical_seconds(type_name: str) -> float:
    """How long Azure takes to create a resource of a type; a general guess where the table has no line for it."""
    known = _table()
    return float(known.get(type_name.lower(), known[""]))


class Provisioning:
    """The factor by which time is scaled."""

    def __init__(self) -> None:
        self._factor = 0.0

    def plan(self, given: Any) -> None:
        """Take another factor. Raises ArmError 400 saying what is allowed."""
        factor = given.get("factor") if isinstance(given, dict) and set(given) == {"factor"} else None
        if not isinstance(factor, (int, float)) or isinstance(factor, bool) or not 0 <= factor <= 1:
            raise ArmError(400, "InvalidProvisioning", f'{given!r} is not allowed; allowed is {{"factor": 0 to 1}}.')
        self._factor = float(factor)

    def told(self) -> dict[str, float]:
        """The factor."""
        return {"factor": self._factor}

    async def created(self, type_name: str) -> None:
        """Let the time pass that creating a resource of the type takes."""
        if self._factor:
            await asyncio.sleep(typical_seconds(type_name) * self._factor)
