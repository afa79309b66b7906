"""Deployed: with which inputs a stack's resources are deployed; the engine shows packs only what they would become.

What `pulumi stack export --file before.json` wrote is named to the pack by TRIBUTARY_DEPLOYED.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from pulumi_policy import deserialize

from policies.constraints.conditions import UNKNOWN
from policies.subject import stack_of

VARIABLE = "TRIBUTARY_DEPLOYED"
_HOW = "`pulumi stack export --file before.json` writes one."
_SECRET = deserialize.SPECIAL_SIG_KEY


@dataclass(frozen=True)
class Deployed:
    """inputs: by URN; UNKNOWN stands for a secret, which is encrypted there."""

    inputs: Mapping[str, Mapping[str, Any]]

    @cached_property
    def stacks(self) -> frozenset[str]:
        """Whose resources they are, as "prod::tributary"."""
        return frozenset(map(stack_of, self.inputs))

    def of(self, urn: str) -> Mapping[str, Any] | None:
        """What a resource is deployed with, nothing for one that is new; None where another stack was exported."""
        return self.inputs.get(urn, {} if not self.inputs or stack_of(urn) in self.stacks else None)


class DeployedError(Exception):
    """The file is no exported state; the message starts with file and line."""


def read(path: Path) -> Deployed:
    """The inputs in an exported state. Raises DeployedError."""
    try:
        state = json.loads(path.read_text(encoding="utf-8"))
        resources = state["deployment"].get("resources") or []
        return Deployed({each["urn"]: _without_secrets(each.get("inputs") or {}) for each in resources})
    except json.JSONDecodeError as error:
        raise DeployedError(f"{path}:{error.lineno}: {error.msg}. A state is JSON; {_HOW}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise DeployedError(f"{path}:1: can't be read: {error}. {_HOW}") from None
    except (KeyError, TypeError, AttributeError):
        raise DeployedError(f"{path}:1: is JSON, but no state with a deployment. {_HOW}") from None


def _without_secrets(value: Any) -> Any:
    match value:
        case dict() if _SECRET in value:
            return UNKNOWN
        case dict():
            return {key: _without_secrets(each) for key, each in value.items()}
        case list():
            return [_without_secrets(each) for each in value]
    return value
