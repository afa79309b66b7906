"""Constraint: one thing that Azure refuses, as ../constraints.yaml says it, and the verdict on a resource."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from policies.constraints.conditions import Answer, answer, is_unknown, value_at

DATA = Path(__file__).resolve().parent.parent / "constraints.yaml"
SCHEMA = Path(__file__).resolve().parent / "schema.json"


@dataclass(frozen=True, kw_only=True)
class Constraint:
    """What must hold of the resources of a type.

    id: stable, never given to another. type: Pulumi's token; paths are those of its inputs. when: which of them are
    judged, an `immutable` one by what is deployed; demand: what must hold of them. related: the resource that the
    property `by` refers to, of `type`; its inputs are read at "related". paths: what can't be changed once the resource
    exists (`immutable`); once: only while they have this value; groups: values that may change into each other;
    default: what Azure takes where one is absent.
    passes: inputs that comply; fails: by dotted path, a value in its place that does not.
    """

    id: str
    type: str
    title: str
    reason: str
    fix: str
    source: str
    checked: str
    passes: Mapping[str, Any]
    fails: Mapping[str, Any]
    when: Mapping[str, Any] = field(default_factory=dict)
    demand: Mapping[str, Any] = field(default_factory=dict)
    related: Mapping[str, str] = field(default_factory=dict)
    immutable: bool = False
    paths: Sequence[str] = ()
    once: Any = None
    default: Any = None
    groups: Sequence[Sequence[Any]] = ()

    def judge(self, inputs: Mapping[str, Any]) -> Answer:
        """Whether inputs comply; with `related`, the other's are among them at "related"."""
        applies = answer(self.when, inputs)
        if applies.holds is False or self.immutable:
            return Answer(True)
        wanted = answer(self.demand, inputs)
        return applies if applies.holds is None and not wanted.holds else wanted

    def changes(self, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
        """Paths that are fixed and would change. What was or is left out, or is not known yet, stays as it is."""
        if answer(self.when, before).holds is False:
            return
        for path in self.paths:
            old, new = (value_at(each, path) for each in (before, after))
            old = self.default if old is None else old
            if old is None or new is None or is_unknown(new) or is_unknown(old) or old == new:
                continue
            together = any(old in each and new in each for each in self.groups)
            if (self.once is None or old == self.once) and not together:
                yield path


@cache
def constraints() -> tuple[Constraint, ...]:
    """All of them, in the order of the file."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return tuple(Constraint(**each) for each in yaml.load(DATA.read_text(encoding="utf-8"), loader))  # noqa: S506  # both are safe


@cache
def of_type(token: str) -> tuple[Constraint, ...]:
    """Those on resources of a type."""
    return tuple(each for each in constraints() if each.type == token)
