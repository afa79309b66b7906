"""Programs that the toolchain brought along for this checkout: PostgreSQL, the control plane, the engine and so on."""

from __future__ import annotations

import json

import pytest

from local.instance import Instance


def known() -> dict[str, str]:
    """Path by name; empty where the toolchain has not run."""
    kept = Instance.load().state / "tools.json"
    return json.loads(kept.read_text()) if kept.exists() else {}


def needed(*names: str) -> dict[str, str]:
    """Those and all others. Skips the test where one of them is not there."""
    found = known()
    missing = [name for name in names if name not in found]
    if missing:
        pytest.skip(f"{', '.join(missing)}: not in {Instance.load().state / 'tools.json'}; `make test` gets it")
    return found
