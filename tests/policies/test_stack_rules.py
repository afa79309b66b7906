"""Every rule for a whole stack: fires on each of its broken examples, and on nothing else; never raises."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policies import pack
from policies.judging import judge_stack
from policies.rule import Example, Rule
from policies.subject import Stack
from policies.waivers import Ledger, Waiver
from tests.policies.proxies import STACK_URN, UNKNOWN, example_stack, secret
from tests.policies.test_rules import VALUES

RULES = [each for each in pack.load() if each.judges_stack]
EACH = pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
BROKEN = pytest.mark.parametrize(
    ("rule", "what"), [pytest.param(each, what, id=f"{each.id}-{what}") for each in RULES for what in each.breaks]
)


def statuses(rule: Rule, examples: Any) -> set[str]:
    return {each.status for each in judge_stack(rule, example_stack(examples))}


def _with(example: Example, properties: Mapping[str, Any]) -> Example:
    return replace(example, properties=properties)


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
            hidden[index] = _with(example, dict.fromkeys(example.properties, UNKNOWN))
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


@EACH
def test_secrets_are_judged_and_never_told(rule: Rule) -> None:
    for examples in (rule.passes, *rule.breaks.values()):
        hidden = [_with(each, {key: secret(value) for key, value in each.properties.items()}) for each in examples]
        assert statuses(rule, hidden) == statuses(rule, examples)
    telling = [_with(each, dict.fromkeys(each.properties, secret("hunter2-hunter2"))) for each in rule.passes]
    assert all("hunter2" not in each.reason for each in judge_stack(rule, example_stack(telling)))


@EACH
def test_what_is_absent_is_judged_like_any_other_value(rule: Rule) -> None:
    for index, example in enumerate(rule.passes):
        bare = [*rule.passes]
        bare[index] = _with(example, {})
        assert statuses(rule, bare) <= {"passed", "failed"}


@BROKEN
def test_resources_of_other_types_are_left_alone(rule: Rule, what: str) -> None:
    others = [Example("aws:s3:Bucket", each.name, each.properties) for each in rule.breaks[what]]
    assert statuses(rule, others) <= {"passed"}


@BROKEN
def test_a_waiver_forgives_until_its_last_day(rule: Rule, what: str) -> None:
    found = next(each for each in judge_stack(rule, example_stack(rule.breaks[what])) if each.status == "failed")
    last = datetime.date(2027, 3, 31)
    waiver = Waiver(rule.id, found.urn or STACK_URN, "platform team", "migration", last, "waivers.yaml:1")
    assert Ledger([waiver], last).forgiven(found, STACK_URN)[0]
    forgiven, words = Ledger([waiver], last + datetime.timedelta(days=1)).forgiven(found, STACK_URN)
    assert not forgiven
    assert "platform team" in words
