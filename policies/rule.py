"""Rule: a declaration and a predicate. Declaring it makes it part of the pack, the catalogue and the tests."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from policies.enforcement import TOPICS
from policies.properties import Truth
from policies.subject import Answers, Stack, Subject, without_version

Severity = Literal["low", "medium", "high", "critical"]
_ID = re.compile(r"TRB-[A-Z0-9]{2,8}-\d{3}")


@dataclass(frozen=True)
class Example:
    """A resource of an example stack. uses: by property, "type::name" of the resources its value comes from."""

    type: str
    name: str
    properties: Mapping[str, Any] = field(default_factory=dict)
    uses: Mapping[str, Sequence[str]] = field(default_factory=dict)
    protected: bool = False

    @property
    def reference(self) -> str:
        """How another example names it."""
        return f"{self.type}::{self.name}"


@dataclass(frozen=True, kw_only=True)
class Rule:
    """What is demanded of resources of some types, why, and who else demands it.

    id: stable, never given to another rule. on: types that are judged, without API version, or "azure-native:*"; empty:
    the whole stack.
    topic: see policies/enforcement.py. why, fix: sentences for the one who is stopped.
    passes: inputs that comply; breaks: by dotted path, a value that does not. Of a rule for the whole stack: the
    examples that comply; by what is wrong, the examples that do not.
    defaults: by dotted path, Azure's value when it is absent: only where that complies. absent_passes: paths that
    may be absent for another reason. Any other absent property must not pass.
    deployed: what a resource was deployed with, for which `breaks` are changes that must not be.
    settings: values that the policy config may change; settings_outside_prod:
    what dev's and local's config says instead. remedy: properties that `remediate` sets when asked for;
    of an object, only what is named.
    checkov, checkov_terraform (no ARM check), psrule, azure_policy (first eight characters of the definition's id),
    trivy, kyverno: the same demand as others publish it. controls: framework with version to its items.
    """

    id: str
    title: str
    on: tuple[str, ...]
    severity: Severity
    topic: str
    why: str
    fix: str
    passes: Any
    breaks: Mapping[str, Any]
    demand: Callable[[Any], Any]
    defaults: Mapping[str, Any] = field(default_factory=dict)
    absent_passes: tuple[str, ...] = ()
    deployed: Mapping[str, Any] | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    settings_outside_prod: Mapping[str, Any] = field(default_factory=dict)
    remedy: Mapping[str, Any] | Callable[[Subject], Mapping[str, Any]] = field(default_factory=dict)
    checkov: tuple[str, ...] = ()
    checkov_terraform: tuple[str, ...] = ()
    psrule: tuple[str, ...] = ()
    azure_policy: tuple[str, ...] = ()
    trivy: tuple[str, ...] = ()
    controls: Mapping[str, Sequence[str]] = field(default_factory=dict)
    module: str = ""

    @property
    def service(self) -> str:
        """The middle of the id, e.g. "SQL"."""
        return self.id.split("-")[1]

    @property
    def judges_stack(self) -> bool:
        """Whether it looks at all resources together."""
        return not self.on


_RULES: dict[str, Rule] = {}


def rules() -> list[Rule]:
    """All rules that were declared so far, by id; policies/pack.py loads all modules."""
    return [_RULES[each] for each in sorted(_RULES)]


def rule(
    id: str,  # noqa: A002  # as every policy language calls it
    title: str,
    *,
    on: str | Sequence[str],
    demand: Callable[[Subject], Truth],
    **rest: Any,
) -> Rule:
    """Declares what is demanded of each resource of a type. Raises ValueError for a declaration that can't be right."""
    types = (on,) if isinstance(on, str) else tuple(on)
    return _declare(Rule(id=id, title=title, on=tuple(map(without_version, types)), demand=demand, **_tuples(rest)))


def stack_rule(id: str, title: str, *, demand: Callable[[Stack], Answers], **rest: Any) -> Rule:  # noqa: A002
    """Declares what is demanded of a stack as a whole. Raises ValueError likewise."""
    return _declare(Rule(id=id, title=title, on=(), demand=demand, **_tuples(rest)))


def _tuples(given: Mapping[str, Any]) -> dict[str, Any]:
    lists = ("absent_passes", "checkov", "checkov_terraform", "psrule", "azure_policy", "trivy")
    return {key: tuple(value.split()) if key in lists else value for key, value in given.items()}


def _declare(made: Rule) -> Rule:
    if not _ID.fullmatch(made.id):
        raise ValueError(f"{made.id!r} is no rule id; allowed is TRB-<SERVICE>-<three digits>, e.g. TRB-SQL-007.")
    if made.topic not in TOPICS:
        raise ValueError(f"{made.id}: topic {made.topic!r}; allowed are {', '.join(sorted(TOPICS))}.")
    if made.id in _RULES:
        raise ValueError(f"{made.id} is declared twice. An id is never given again: take the next number.")
    _RULES[made.id] = made
    return made
