"""Every rule for a whole stack: fires on each of its broken examples, and on nothing else; never raises."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policies import pack
from policies.judging import judge_stack
from policies.rule import Example, Rule
from policies.subject import Stack
from tests.policies.proxies import UNKNOWN, example_stack
from tests.policies.test_rules import VALUES

RULES = [each for each in pack.load() if each.judges_stack]
EACH = pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
BROKEN = pytest.mark.parametrize(
    ("rule", "what"), [pytest.param(each, what, id=f"{each.id}-{what}") for each in RULES for what in each.breaks]
)


def statuses(rule: Rule, examples: Any) -> set[str]:
    return {each.status for each in judge_stack(rule, example_stack(examples))}


@EACH
def test_its_own_compliant_example_passes(rule: Rule) -> None:
    assert {
        (each.urn, each.reason) for each in judge_stack(rule, example_stack(rule.passes)) if each.status != "passed"
    } == set()


@BROKEN
def test_each_broken_example_fails_with_a_reason(rule: Rule, what: str) -> None:
    failed = [each for each in judge_stack(rule, example_stack(rule.breaks[what])) if each.status == "failed"]
    assert failed
    assert all(each.reason for each in failed)


@EACH
def test_an_empty_stack_breaks_nothing(rule: Rule) -> None:
    assert all(each.status == "passed" for each in judge_stack(rule, Stack([])))


@EACH
def test_what_is_not_known_yet_never_fails(rule: Rule) -> None:
    for examples in (rule.passes, *rule.breaks.values()):
        for index, example in enumerate(examples):
            hidden = [*examples]
            hidden[index] = Example(
                example.type, example.name, dict.fromkeys(example.properties, UNKNOWN), example.uses, example.protected
            )
            if examples is rule.passes:
                assert "failed" not in statuses(rule, hidden)


@EACH
def test_whatever_it_reads_it_never_raises(rule: Rule) -> None:
    @settings(max_examples=12, deadline=None, database=None, derandomize=True)
    @given(st.sampled_from([rule.passes, *rule.breaks.values()]), VALUES)
    def fed(examples: list[Example], value: Any) -> None:
        strange = [
            Example(each.type, each.name, dict.fromkeys(each.properties or {"x": 0}, value), each.uses)
            for each in examples
        ]
        assert statuses(rule, strange) <= {"passed", "failed", "not evaluated"}

    fed()
