"""Every rule for a single resource: fires on what breaks it, for that reason, and on nothing else; never raises."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policies import pack
from policies.judging import Finding, applies, judge
from policies.rule import Rule
from policies.waivers import Ledger, Waiver
from tests.policies.proxies import UNKNOWN, changed, compliant, of_rule, proxied, secret, subject, type_of, urn

RULES = [each for each in pack.load() if not each.judges_stack]
BREAKS = [pytest.param(each, path, id=f"{each.id}-{path}") for each in RULES for path in each.breaks]
EACH = pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
BROKEN = pytest.mark.parametrize(("rule", "path"), BREAKS)


def judged(rule: Rule, properties: dict[str, Any]) -> Finding:
    return judge(rule, of_rule(rule, properties))


@EACH
def test_its_own_compliant_example_passes(rule: Rule) -> None:
    assert judge(rule, compliant(rule)).status == "passed", judge(rule, compliant(rule)).reason


@BROKEN
def test_one_wrong_value_is_enough_to_fail_and_the_reason_names_its_path(rule: Rule, path: str) -> None:
    found = judged(rule, changed(rule.passes, path, rule.breaks[path]))
    assert found.status == "failed"
    assert path.split(".")[0] in found.reason


@BROKEN
def test_an_absent_value_fails_unless_azures_default_is_declared_to_comply(rule: Rule, path: str) -> None:
    found = judged(rule, changed(rule.passes, path, ...))
    allowed = path in rule.defaults or path in rule.absent_passes
    assert (found.status == "passed") == allowed, found.reason


@BROKEN
def test_an_unknown_value_is_not_evaluated(rule: Rule, path: str) -> None:
    found = judged(rule, changed(rule.passes, path, UNKNOWN))
    assert (found.status, path in found.reason) == ("not evaluated", True)


@BROKEN
def test_an_unknown_whole_is_not_evaluated(rule: Rule, path: str) -> None:
    assert judged(rule, changed(rule.passes, path.split(".")[0], UNKNOWN)).status == "not evaluated"


@BROKEN
def test_a_secret_is_judged_and_never_told(rule: Rule, path: str) -> None:
    wrong = rule.breaks[path]
    found = judged(rule, changed(rule.passes, path, secret(wrong)))
    assert found.status == "failed"
    telling = judged(rule, changed(rule.passes, path, secret("hunter2-hunter2")))
    assert "hunter2" not in telling.reason


@EACH
def test_another_type_is_left_alone_and_any_api_version_is_judged(rule: Rule) -> None:
    assert not applies(rule, subject("aws:s3:Bucket", {}))
    if not rule.on[0].endswith("*"):
        assert not applies(rule, subject("azure-native:cache:Redis", {}))
    for type_ in {type_of(rule), *rule.on} - {"azure-native:*"}:
        head, _, kind = type_.rpartition(":")
        assert applies(rule, subject(f"{head}/v20240101preview:{kind}", {}))
        assert applies(rule, subject(type_, {}))


@EACH
def test_a_waiver_forgives_until_its_last_day(rule: Rule) -> None:
    path, wrong = next(iter(rule.breaks.items()))
    found = judged(rule, changed(rule.passes, path, wrong))
    last = datetime.date(2027, 3, 31)
    waiver = Waiver(rule.id, urn(type_of(rule)), "platform team", "migration", last, "waivers.yaml:1")
    assert Ledger([waiver], last).forgiven(found)[0]
    forgiven, words = Ledger([waiver], last + datetime.timedelta(days=1)).forgiven(found)
    assert not forgiven
    assert "platform team" in words
    other = Waiver(rule.id, urn(type_of(rule), "other"), "platform team", "migration", last, "waivers.yaml:1")
    assert not Ledger([other], last).forgiven(found)[0]


_LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=8),
    st.just(UNKNOWN),
    st.sampled_from(["<policies>", "*", "P1D", "https://x", "None", "-1", "1"]),
)
VALUES = st.recursive(
    _LEAVES,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=4), inner, max_size=3)),
)


@EACH
def test_whatever_it_reads_it_never_raises(rule: Rule) -> None:
    paths = [*rule.breaks, *(path.split(".")[0] for path in rule.breaks)]

    @settings(max_examples=12, deadline=None, database=None, derandomize=True)
    @given(st.sampled_from(paths), VALUES)
    def fed(path: str, value: Any) -> None:
        assert judged(rule, changed(rule.passes, path, value)).rule is rule

    fed()
    for strange in ({}, {path.split(".")[0]: None for path in rule.breaks}):
        assert judge(rule, subject(type_of(rule), strange)).status in ("passed", "failed", "not evaluated")
    for nothing in (None, "", 3.0, [], proxied({})):
        assert judge(rule, type(compliant(rule))(type_of(rule), "it", "urn", nothing)).status
