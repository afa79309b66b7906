"""Table: which pairs of a stack must and must not reach each other, and what says otherwise."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from policies.reachability.reach import Reach


@dataclass(frozen=True, kw_only=True)
class Row:
    """One pair. reaches: whether it must, or must not. why: the reason. open: what stands in the way of it holding.

    mutation: changes that together must break the row, each of type, name, path ("[x]": the list's element named x) and
    value (null removes); more than one where several things stand in the way.
    """

    actor: str
    target: str
    reaches: bool
    why: str
    open: str = ""
    mutation: Sequence[Mapping[str, Any]] = ()

    def __str__(self) -> str:
        return f"{self.actor} {'reaches' if self.reaches else 'does not reach'} {self.target}"


def rows(file: Path) -> list[Row]:
    """The rows of a table in YAML."""
    return [Row(**each) for each in yaml.safe_load(file.read_text(encoding="utf-8"))]


def broken(reach: Reach, table: Sequence[Row]) -> Iterator[Row]:
    """The rows that a stack does not keep to."""
    yield from (each for each in table if reach.can(each.actor, each.target) is not each.reaches)


def changed(inputs: Mapping[str, Any], path: str, value: Any) -> dict[str, Any]:
    """A copy of inputs with another value at a path."""
    made = json.loads(json.dumps(inputs))
    at: Any = made
    *way, last = [_step(each) for each in path.split(".")]
    for step in way:
        if isinstance(at, list):
            at = next(each for each in at if each.get("name") == step) if isinstance(step, str) else at[step]
        else:
            at = at.setdefault(step, {})
    if value is None:
        at.pop(last, None)
    else:
        at[last] = value
    return made


def _step(text: str) -> str | int:
    return int(text) if text.isdigit() else text.strip("[]")


def matrix(reach: Reach) -> str:
    """Who reaches whom, as a person reads it: a line an actor."""
    lines = []
    for actor in reach.actors():
        reached = [each for each in reach.targets() if each != actor and reach.can(actor, each)]
        lines.append(f"{actor:<28} {', '.join(reached) or 'nobody'}")
    return "\n".join(lines) + "\n"
