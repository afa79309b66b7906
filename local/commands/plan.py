"""A stack's plan: what the program would deploy, from a preview through the real engine (see rehearsal.py)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from local.azure.arm.types import by_token
from local.commands.rehearsal import azure_alone, staged
from local.instance import REPOSITORY, SUBSCRIPTION_ID, Instance
from local.plugins.azure_native import mapping
from local.plugins.azure_native.provider import FORETELL
from local.plugins.values import ENGINE_UNKNOWN, SIGNATURE, UNKNOWN

_HIDDEN = {"[secret]", ENGINE_UNKNOWN}
"""What the engine shows for a secret, and for what is known only after deployment."""


@dataclass(frozen=True)
class Planned:
    """One resource. token: its type to Pulumi.

    inputs: as the engine gives them to the provider, "<unknown>" for secrets and for what is known only after
    deployment. uses: by property, URNs of the resources its value comes from.
    """

    urn: str
    token: str
    inputs: Mapping[str, Any]
    uses: Mapping[str, list[str]]

    @property
    def name(self) -> str:
        """Its name to Pulumi."""
        return self.urn.rsplit("::", 1)[1]

    @cached_property
    def id(self) -> str:
        """Its id in ARM; empty for what is not ARM's."""
        kind = by_token(self.token)
        return mapping.to_arm(kind, self.inputs, SUBSCRIPTION_ID)[0] if kind else ""


def plan(stack: str, folder: Path = REPOSITORY) -> list[Planned]:
    """What a stack of the program in a folder consists of. Raises EngineFailed, or ValueError for an unknown stack."""
    with azure_alone() as instance:
        return previewed(instance, stack, folder)


def previewed(instance: Instance, stack: str, folder: Path) -> list[Planned]:
    """The same, on an embedded Azure that runs already."""
    with staged(instance, stack, folder) as stage:
        said = stage.pulumi("preview", "--json", variables={FORETELL: "1"})
    return planned([each["newState"] for each in json.loads(said[said.index("{") :])["steps"] if "newState" in each])


def planned(states: Iterable[Mapping[str, Any]]) -> list[Planned]:
    """Resources as the engine writes them down, in a preview's steps or in a stack's state."""
    return [
        Planned(each["urn"], each["type"], _hidden(each.get("inputs") or {}), each.get("propertyDependencies") or {})
        for each in states
    ]


def _hidden(value: Any) -> Any:
    match value:
        case dict() if SIGNATURE in value:
            return UNKNOWN
        case dict():
            return {key: _hidden(each) for key, each in value.items()}
        case list():
            return [_hidden(each) for each in value]
    return UNKNOWN if isinstance(value, str) and value in _HIDDEN else value
