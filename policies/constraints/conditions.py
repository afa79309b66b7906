"""Conditions: what constraints ask of a resource's inputs, answered yes, no, or not known yet (None).

A condition is an object of dotted paths, all of which must hold, with a test at each; `any` takes a list of conditions,
`not` one; docs/constraints.md lists the tests. What is null or empty counts as absent. A text that holds "<unknown>"
is known only after deployment.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

UNKNOWN = "<unknown>"
"""Stands for a value that is known only after deployment, as in a dry run of the ARM endpoint."""
_ABSENT: Any = object()


@dataclass(frozen=True)
class Answer:
    """Whether a condition holds. path: what decided. reason: what is demanded there, never the value that was found."""

    holds: bool | None
    path: str = ""
    reason: str = ""


def answer(condition: Mapping[str, Any], inputs: Any, where: str = "") -> Answer:
    """Whether all of a condition holds. where: the path that inputs lie at, for the answer.

    Raises KeyError for a test that the vocabulary does not have.
    """
    return _every(_at(path, test, inputs, where) for path, test in condition.items())


def value_at(inputs: Any, path: str) -> Any:
    """What lies at a dotted path; UNKNOWN inside of what is not known, None where nothing is."""
    found = inputs
    for step in path.split("."):
        if is_unknown(found):
            return UNKNOWN
        if isinstance(found, Mapping):
            found = found.get(step)
        elif _is_list(found) and step.isdigit() and int(step) < len(found):
            found = found[int(step)]
        else:
            return None
    return found


def is_unknown(value: Any) -> bool:
    """Whether a value, or a part of a text, is known only after deployment."""
    return isinstance(value, str) and UNKNOWN in value


def _at(path: str, test: Any, inputs: Any, where: str) -> Answer:
    if path == "any":
        return _some(answer(each, inputs, where) for each in test)
    if path == "not":
        inner = answer(test, inputs, where)
        return Answer(None if inner.holds is None else not inner.holds, inner.path, f"not: {inner.reason}")
    tests = dict(test) if isinstance(test, Mapping) else {"is": test}
    value = value_at(inputs, path)
    if value is None or (isinstance(value, str | Mapping | Sequence) and len(value) == 0):
        value = tests.get("default", _ABSENT)
    tests.pop("default", None)
    whole = f"{where}.{path}" if where else path
    if is_unknown(value):
        return Answer(None, whole, f"{whole} is known only after deployment")
    return _every(_one(whole, name, expected, value, inputs) for name, expected in tests.items())


def _one(path: str, name: str, expected: Any, value: Any, inputs: Any) -> Answer:
    if name in _OF_ELEMENTS:
        return _elements(path, name, expected, value)
    if name in _COMPARISONS:
        other = value_at(inputs, expected)
        holds, words = _COMPARISONS[name]
        known = None if is_unknown(other) else holds(value, other)
        return Answer(known, path, f"{path} {words} {expected}")
    holds, words = _TESTS[name]
    return Answer(holds(value, expected), path, f"{path} {words.format(_shown(expected))}")


def _elements(path: str, name: str, condition: Mapping[str, Any], value: Any) -> Answer:
    fold, of_none = _OF_ELEMENTS[name]
    if value is _ABSENT:
        return Answer(of_none, path, f"{path} has such an element")
    if not _is_list(value):
        return Answer(False, path, f"{path} is a list")
    return fold(
        Answer(None, f"{path}.{index}", f"{path}.{index} is known only after deployment")
        if is_unknown(each)
        else answer(condition, each, f"{path}.{index}")
        for index, each in enumerate(value)
    )


def _every(answers: Iterable[Answer]) -> Answer:
    return _fold(answers, decisive=False)


def _some(answers: Iterable[Answer]) -> Answer:
    return _fold(answers, decisive=True)


def _fold(answers: Iterable[Answer], *, decisive: bool) -> Answer:
    """Kleene's "and" (decisive False) and "or" (True): the first that decides, else the first not known, else all."""
    undecided, rest = None, []
    for each in answers:
        if each.holds is decisive:
            return each
        if each.holds is None:
            undecided = undecided or each
        else:
            rest.append(each)
    if undecided or not rest:
        return undecided or Answer(not decisive)
    return Answer(not decisive, rest[0].path, ", or ".join(each.reason for each in rest))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_list(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str)


def _same(value: Any, expected: Any) -> bool:
    """Equal and of the same kind: true is not 1, and "1" is not 1."""
    if _is_number(value) and _is_number(expected):
        return value == expected
    return type(value) is type(expected) and value == expected


def _among(value: Any, expected: Sequence[Any]) -> bool:
    return any(_same(value, each) for each in expected)


def _found(value: Any, pattern: str) -> bool:
    return isinstance(value, str) and re.search(pattern, value) is not None


def _shown(expected: Any) -> str:
    return ", ".join(map(str, expected)) if isinstance(expected, list) else str(expected)


_TESTS: dict[str, tuple[Callable[[Any, Any], bool], str]] = {
    "is": (_same, "is {}"),
    "is_not": (lambda value, expected: not _same(value, expected), "is not {}"),
    "in": (_among, "is one of {}"),
    "not_in": (lambda value, expected: not _among(value, expected), "is none of {}"),
    "present": (lambda value, expected: (value is not _ABSENT) is expected, "is set ({})"),
    "at_least": (lambda value, expected: _is_number(value) and value >= expected, "is at least {}"),
    "at_most": (lambda value, expected: _is_number(value) and value <= expected, "is at most {}"),
    "matches": (_found, "has the form {}"),
    "lacks": (lambda value, expected: not _found(value, expected), "does not have the form {}"),
    "items_at_most": (lambda value, expected: not _is_list(value) or len(value) <= expected, "has at most {} items"),
}
_COMPARISONS: dict[str, tuple[Callable[[Any, Any], bool], str]] = {
    "at_most_path": (lambda value, other: _is_number(value) and _is_number(other) and value <= other, "is at most"),
    "differs_from": (lambda value, other: other is None or not _same(value, other), "differs from"),
}
_OF_ELEMENTS: dict[str, tuple[Callable[[Iterable[Answer]], Answer], bool]] = {
    "every": (_every, True),
    "some": (_some, False),
}
