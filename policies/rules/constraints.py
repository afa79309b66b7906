"""What Azure refuses: the constraint catalogue, a rule each; so that it holds with the official plugins, too."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from policies.constraints.conditions import UNKNOWN, Answer, is_unknown, value_at
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


def _declare_fixed(constraint: Constraint) -> None:
    rule(
        constraint.id,
        constraint.title,
        on=constraint.type,
        demand=lambda subject: _unchanged(constraint, subject),
        passes=constraint.passes,
        breaks=constraint.fails,
        absent_passes=" ".join(constraint.fails),
        deployed=constraint.passes,
        **_said(constraint),
    )


# The engine hands packs no old state, in no version of its protocol: what is deployed comes from an export.
def _unchanged(constraint: Constraint, subject: Subject) -> Truth:
    if subject.deployed is None:
        return Truth(None, "what is deployed is not known to the pack: name the stack's export in TRIBUTARY_DEPLOYED")
    inputs = _inputs(subject)
    if not subject.deployed:
        return Truth(True)
    if moved := list(constraint.changes(subject.deployed, inputs)):
        return Truth(False, f"{', '.join(moved)} is not what is deployed")
    open_ = [each for each in constraint.paths if is_unknown(value_at(inputs, each))]
    return Truth(None, f"{', '.join(open_)} is known only after deployment") if open_ else Truth(True)


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
    if _each.related:
        _declare_related(_each)
    elif _each.immutable:
        _declare_fixed(_each)
    else:
        _declare(_each)
