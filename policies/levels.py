"""Levels: what a policy config says of each rule, read as the engine reads it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from policies.rule import Rule

DEFAULT = "mandatory"
"""Of a rule of which nothing is said."""


@dataclass(frozen=True)
class Levels:
    """said: the config as JSON."""

    said: Mapping[str, Any]

    @classmethod
    def read(cls, path: Path) -> Levels:
        """Those of a file that policies/check.py has found right."""
        return cls(json.loads(path.read_text(encoding="utf-8")))

    def level(self, rule: Rule) -> str:
        """advisory, mandatory, remediate or disabled."""
        own = self.said.get(rule.id)
        level = own.get("enforcementLevel") if isinstance(own, Mapping) else own
        return level or self.said.get("all") or DEFAULT

    def settings(self, rule: Rule) -> dict[str, Any]:
        """The rule's settings that the config changes."""
        own = self.said.get(rule.id)
        return {key: each for key, each in own.items() if key != "enforcementLevel"} if isinstance(own, Mapping) else {}
