"""Plan: a stack's resources with the ids that they will have, and how others are found by type, id or reference."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol


class Resource(Protocol):
    """What is asked of a resource; the planner's has it (local/commands/plan.py).

    token: Pulumi's type. id: of ARM, in any case. uses: by property, URNs of what its value comes from.
    """

    @property
    def urn(self) -> str: ...  # noqa: D102
    @property
    def token(self) -> str: ...  # noqa: D102
    @property
    def id(self) -> str: ...  # noqa: D102
    @property
    def name(self) -> str: ...  # noqa: D102
    @property
    def inputs(self) -> Mapping[str, Any]: ...  # noqa: D102
    @property
    def uses(self) -> Mapping[str, Sequence[str]]: ...  # noqa: D102


class Plan:
    """All resources of a stack."""

    def __init__(self, resources: Sequence[Resource]) -> None:
        self.resources = list(resources)
        self._by_id = {each.id.lower(): each for each in resources if each.id}

    def of(self, *kinds: str) -> list[Resource]:
        """Resources by the end of their type, e.g. "network:VirtualNetwork", whatever its API version."""
        return [each for each in self.resources if _kind(each.token) in kinds]

    def at(self, resource_id: Any) -> Resource | None:
        """The resource of an id, if the stack has it."""
        return self._by_id.get(resource_id.lower()) if isinstance(resource_id, str) else None


def _kind(token: str) -> str:
    module, _, name = token.partition(":")[2].partition(":")
    return f"{module.split('/')[0]}:{name}"


def same_id(one: Any, other: Any) -> bool:
    """Whether two ids are one to ARM."""
    return isinstance(one, str) and isinstance(other, str) and one.lower() == other.lower()


def at(value: Any, path: str) -> Any:
    """What lies at a dotted path of inputs, None where nothing does."""
    for step in path.split("."):
        value = value.get(step) if isinstance(value, Mapping) else None
    return value
