"""What Azure refuses: the constraint catalogue, a rule each; so that it holds with the official plugins, too."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from policies.constraints.conditions import UNKNOWN, Answer
from policies.constraints.constraint import Constraint, constraints
from policies.properties import Truth, plain
from policies.rule import Example, rule, stack_rule
from policies.subject import Stack, Subject


def _truth(found: Answer) -> Truth:
    return Truth(found.holds, "" if found.holds else found.reason)


def _inputs(subject: Subject) -> dict[str, Any]:
    found = plain(subject.properties, UNKNOWN)
    return found if isinstance(found, dict) else {}


def _declare(constraint: Constraint) -> None:
    rule(
        constraint.id,
        constraint.title,
        on=constraint.type,
        demand=lambda subject: _truth(constraint.judge(_inputs(subject))),
        passes=constraint.passes,
        breaks=constraint.fails,
        absent_passes=" ".join(path for path in constraint.fails if _holds_without(constraint, path)),
        **_said(constraint),
    )


def _declare_related(constraint: Constraint) -> None:
    stack_rule(
        constraint.id,
        constraint.title,
        demand=lambda stack: stack.each((constraint.type,), lambda subject: _with_others(constraint, stack, subject)),
        passes=_examples(constraint, constraint.passes),
        breaks={
            f"{path} {value}": _examples(constraint, changed(constraint.passes, path, value))
            for path, value in constraint.fails.items()
        },
        **_said(constraint),
    )


def _said(constraint: Constraint) -> dict[str, Any]:
    return {
        "severity": "high",
        "topic": "what Azure takes",
        "why": f"{constraint.reason} Azure refuses it ({constraint.source}, {constraint.checked}).",
        "fix": constraint.fix,
    }


def _with_others(constraint: Constraint, stack: Stack, subject: Subject) -> Truth:
    others = [each for each in stack.of(constraint.related["type"]) if subject.from_(constraint.related["by"], each)]
    answers = [_truth(constraint.judge({**_inputs(subject), "related": _inputs(each)})) for each in others]
    return next((each for each in answers if each.value is False), next(iter(answers), Truth(True)))


def _examples(constraint: Constraint, inputs: Mapping[str, Any]) -> Sequence[Example]:
    other = Example(constraint.related["type"], "other", inputs["related"])
    own = {key: value for key, value in inputs.items() if key != "related"}
    return [other, Example(constraint.type, "it", own, {constraint.related["by"]: [other.reference]})]


def _holds_without(constraint: Constraint, path: str) -> bool:
    return constraint.judge(changed(constraint.passes, path, None)).holds is True


def changed(inputs: Mapping[str, Any], path: str, value: Any) -> dict[str, Any]:
    """A copy of inputs with another value at a dotted path."""
    made = json.loads(json.dumps(inputs))
    at: Any = made
    *way, last = [int(each) if each.isdigit() else each for each in path.split(".")]
    for step in way:
        at = at[step] if isinstance(step, int) else at.setdefault(step, {})
    at[last] = value
    return made


for _each in constraints():
    # What may not change can't be a rule: a policy sees new inputs only. The ARM endpoint and Azure refuse it.
    if _each.related:
        _declare_related(_each)
    elif not _each.immutable:
        _declare(_each)
