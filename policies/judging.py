"""Judging: puts a rule to a resource or a stack and says what came out. Nothing here raises, whatever it reads."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from policies.properties import Truth, Undecided
from policies.rule import Rule
from policies.subject import Stack, Subject

Status = Literal["passed", "failed", "not evaluated"]


@dataclass(frozen=True)
class Finding:
    """What a rule says of a resource. urn: empty for the stack as such. reason: paths and demands, never values."""

    rule: Rule
    urn: str
    status: Status
    reason: str = ""


def applies(rule: Rule, subject: Subject) -> bool:
    """Whether a rule judges resources of this type."""
    return any(is_about(each, subject.type) for each in rule.on)


def is_about(named: str, type_: str) -> bool:
    """Whether a rule that names a type, or "azure-native:*", judges a type without API version."""
    return type_ == named or (named.endswith(":*") and type_.startswith(named[:-1]))


def judge(rule: Rule, subject: Subject, settings: Mapping[str, Any] | None = None) -> Finding:
    """A rule's answer for one resource that it applies to."""
    asked = replace(subject, settings={**rule.settings, **(settings or {})}, defaults=rule.defaults)
    return _finding(rule, subject.urn, lambda: rule.demand(asked))


def judge_stack(rule: Rule, stack: Stack, settings: Mapping[str, Any] | None = None) -> Iterator[Finding]:
    """A rule's answers for a stack."""
    asked = replace(stack, settings={**rule.settings, **(settings or {})})
    if rule.defaults:
        asked = replace(asked, resources=[replace(each, defaults=rule.defaults) for each in stack.resources])
    try:
        answers = list(rule.demand(asked))
    except Undecided as unknown:
        yield Finding(rule, "", "not evaluated", str(unknown))
        return
    for subject, ask in answers:
        yield _finding(rule, subject.urn if subject else "", ask)


def _finding(rule: Rule, urn: str, ask: Callable[[], Truth]) -> Finding:
    try:
        answer = ask()
    except Undecided as unknown:
        return Finding(rule, urn, "not evaluated", str(unknown))
    if answer.value is None:
        return Finding(rule, urn, "not evaluated", answer.reason)
    return Finding(rule, urn, "passed" if answer.value else "failed", "" if answer.value else answer.reason)
