"""Condition of a role assignment (ABAC): read into a function over a request to give or take roles.

What it may ask for are the forms that delegate role assignments (learn.microsoft.com/azure/role-based-access-control/
delegate-role-assignments-examples); others are refused, as nobody could say what they would let through.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from lark import Lark, Token, Transformer, v_args
from lark.exceptions import UnexpectedInput, VisitError

from local.azure.arm.shapes import UNKNOWN
from local.azure.context import About

_ASSIGNMENTS = "microsoft.authorization/roleassignments:"
_NAMES = ("RoleDefinitionId", "PrincipalId", "PrincipalType")
_SOURCES = ("request", "resource")
_SAME: Mapping[str, Callable[[str, str], bool]] = {
    "stringequals": lambda one, other: one == other,
    "stringnotequals": lambda one, other: one != other,
    "stringequalsignorecase": lambda one, other: one.lower() == other.lower(),
    "stringnotequalsignorecase": lambda one, other: one.lower() != other.lower(),
    "guidequals": lambda one, other: one.lower() == other.lower(),
    "guidnotequals": lambda one, other: one.lower() != other.lower(),
}


class ConditionError(ValueError):
    """A condition that can't be judged here."""


@dataclass(frozen=True)
class Facts:
    """What is judged. action: e.g. "Microsoft.Authorization/roleAssignments/write".

    about: attributes of the assignment that a request makes ("request") or that is there ("resource").
    """

    action: str
    about: About = field(default_factory=dict)


Condition = Callable[[Facts], bool]


@cache
def compiled(text: str) -> Condition:
    """The function of a condition. Raises ConditionError, naming what can't be judged."""
    try:
        return _parser().parse(text)  # type: ignore[return-value]  # the transformer makes functions
    except UnexpectedInput as error:
        place = text[max(0, error.pos_in_stream or 0) :][:40]
        raise ConditionError(f"it can't be read at {place!r}") from None
    except VisitError as error:
        raise ConditionError(str(error.orig_exc)) from None


def attributes(properties: Mapping[str, object]) -> dict[str, str]:
    """What conditions may ask of a role assignment, as far as it is said. properties: the assignment's."""
    told = {name.lower(): properties.get(name[0].lower() + name[1:]) for name in _NAMES}
    return {name: str(value).rstrip("/").rsplit("/", 1)[-1] for name, value in told.items() if value}


@cache
def _parser() -> Lark:
    grammar = Path(__file__).with_name("condition.lark").read_text()
    return Lark(grammar, parser="lalr", transformer=_Functions())


@v_args(inline=True)
class _Functions(Transformer):
    """Makes a function of each node, from the leaves up."""

    def either(self, *parts: Condition) -> Condition:
        return lambda facts: any(each(facts) for each in parts)

    def both(self, *parts: Condition) -> Condition:
        return lambda facts: all(each(facts) for each in parts)

    def negated(self, inner: Condition) -> Condition:
        return lambda facts: not inner(facts)

    def action(self, pattern: Token) -> Condition:
        wanted = re.compile(".*".join(map(re.escape, pattern[1:-1].split("*"))), re.IGNORECASE)
        return lambda facts: bool(wanted.fullmatch(facts.action))

    def set(self, *values: Token) -> tuple[str, ...]:
        return tuple(each.strip("'") for each in values)

    def compared(self, attribute: Token, operator: Token, wanted: tuple[str, ...]) -> Condition:
        source, name = _attribute(attribute)
        *quantifier, sign = operator.lower().split(":")
        if sign not in _SAME:
            raise ConditionError(f"{operator} is not judged here; allowed are {', '.join(_SAME)}")
        # An assignment has one value of each: any of it and all of it are the same.
        those = all if quantifier and quantifier[0].endswith("allvalues") else any

        def holds(facts: Facts) -> bool:
            value = facts.about.get(source, {}).get(name)
            if value == UNKNOWN:
                return True  # a dry run's: the request itself is judged once more
            return value is not None and those(_SAME[sign](value, each) for each in wanted)

        return holds


def _attribute(token: Token) -> tuple[str, str]:
    source, name = str(token)[1:-1].lower().split("[")
    if source not in _SOURCES or name not in [f"{_ASSIGNMENTS}{each.lower()}" for each in _NAMES]:
        allowed = ", ".join(f"@Request[Microsoft.Authorization/roleAssignments:{each}]" for each in _NAMES)
        raise ConditionError(f"{token} is not known here; allowed are {allowed}, and the same of @Resource")
    return source, name.removeprefix(_ASSIGNMENTS)
