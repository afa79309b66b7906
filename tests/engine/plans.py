"""What the stacks of the program consist of: planned through the real engine once a session."""

from __future__ import annotations

from local.commands.plan import Planned, planned, previewed
from local.instance import REPOSITORY
from tests.engine.deployment import Deployment

_KEPT: dict[str, list[Planned]] = {}


def plan_of(deployment: Deployment, stack: str) -> list[Planned]:
    """A stack's plan; the one of "local" is what its state says, as it is deployed here anyway."""
    if stack == "local":
        return planned(deployment.state("local"))
    if stack not in _KEPT:
        _KEPT[stack] = previewed(deployment.instance, stack, REPOSITORY)
    return _KEPT[stack]
