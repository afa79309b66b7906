"""A request's properties are converted once for all policies; a pulumi-policy of another build is left alone."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pulumi_policy as crossguard
import pytest
from google.protobuf import json_format
from pulumi.runtime.proto import analyzer_pb2 as rpc
from pulumi_policy import policy

from policies.once import _CONVERSIONS, _ENVIRONMENT, _METHODS, _READERS, _SERVICER, _STACK, Policies, convert_once

POLICIES = 5
_OF_SERVICER = (*_METHODS, *_READERS, _ENVIRONMENT)
_OF_MODULE = (*_CONVERSIONS, "json_format", _STACK)


@pytest.fixture
def stock(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """pulumi-policy as it is installed; put back afterwards."""
    servicer = getattr(policy, _SERVICER)
    for owner, names in ((servicer, _OF_SERVICER), (policy, _OF_MODULE)):
        for name in names:
            monkeypatch.setattr(owner, name, getattr(owner, name))
    return monkeypatch


@pytest.fixture
def conversions(stock: pytest.MonkeyPatch) -> Counter[str]:
    """How often each resource was taken out of its message."""
    counted: Counter[str] = Counter()
    convert = json_format.MessageToDict

    def counting(message: Any) -> Any:
        made = convert(message)
        counted[made.get("name", "")] += 1
        return made

    stock.setattr(json_format, "MessageToDict", counting)
    return counted


def served(seen: list[Any]) -> Any:
    """A pack of a few policies, without a server. seen: what they were handed."""

    def one(args: crossguard.ResourceValidationArgs, _report: crossguard.ReportViolation) -> None:
        seen.append((args.name, args.props["name"], args.props["inner"]["list"][0]))
        assert args.props["unknown"]  # raises for what is unknown: reported as not run

    def whole(args: crossguard.StackValidationArgs, _report: crossguard.ReportViolation) -> None:
        seen.append([(each.name, each.props["name"]) for each in args.resources])

    def renamed(args: crossguard.ResourceValidationArgs) -> Any:
        args.props["name"] += " mended"  # type: ignore[index]
        return args.props

    of_one = [crossguard.ResourceValidationPolicy(f"one{n}", "d", one, remediate=renamed) for n in range(POLICIES)]
    of_all = [crossguard.StackValidationPolicy(f"all{n}", "d", whole) for n in range(POLICIES)]
    return getattr(policy, _SERVICER)("p", "1", [*of_one, *of_all], crossguard.EnforcementLevel.ADVISORY)


def resource(name: str, message: type[Any]) -> Any:
    made = message(type="a:b:C", urn=f"urn:{name}", name=name)
    unknown = crossguard.proxy.UNKNOWN_STRING_VALUE
    made.properties.update({"name": name, "inner": {"list": ["x"]}, "unknown": unknown})
    return made


def requests() -> tuple[Any, Any, Any]:
    whole = rpc.AnalyzeStackRequest(resources=[resource(each, rpc.AnalyzerResource) for each in ("a", "b", "c")])
    return resource("a", rpc.AnalyzeRequest), resource("b", rpc.AnalyzeRequest), whole


def answers(servicer: Any) -> list[bytes]:
    first, second, whole = requests()
    said = (servicer.Analyze(first, None), servicer.Analyze(second, None), servicer.AnalyzeStack(whole, None))
    return [each.SerializeToString(deterministic=True) for each in said]


def test_the_pinned_pulumi_policy_has_what_is_wrapped(stock: pytest.MonkeyPatch) -> None:
    assert convert_once(), "pulumi-policy has changed inside: the pack costs three times as much (policies/once.py)"


def test_answers_are_the_same_and_each_resource_is_converted_once_a_request(conversions: Counter[str]) -> None:
    before: list[Any] = []
    plain = answers(served(before))
    assert conversions == {"a": 2 * POLICIES, "b": 2 * POLICIES, "c": POLICIES}
    conversions.clear()

    assert convert_once()
    after: list[Any] = []
    assert answers(served(after)) == plain
    assert after == before
    assert conversions == {"a": 2, "b": 2, "c": 1}  # by itself, and with the stack


def test_nothing_is_kept_beyond_a_request(conversions: Counter[str]) -> None:
    assert convert_once()
    servicer = served([])
    answers(servicer)
    conversions.clear()
    answers(servicer)
    assert conversions == {"a": 2, "b": 2, "c": 1}


@pytest.mark.parametrize("lost", [_SERVICER, *_OF_MODULE, *_READERS, _ENVIRONMENT])
def test_a_pulumi_policy_without_a_name_is_left_as_it_is(stock: pytest.MonkeyPatch, lost: str) -> None:
    servicer = getattr(policy, _SERVICER)
    stock.delattr(policy if lost in (_SERVICER, *_OF_MODULE) else servicer, lost)
    owned = ((servicer, _OF_SERVICER), (policy, _OF_MODULE))
    kept = {(owner, each): getattr(owner, each) for owner, names in owned for each in names if each != lost}
    assert not convert_once()
    assert {(owner, each): getattr(owner, each) for owner, each in kept} == kept


def test_the_resources_of_a_stack_are_the_same_objects_for_each_of_its_policies(stock: pytest.MonkeyPatch) -> None:
    handed: list[Any] = []
    convert_once()
    policies = [
        crossguard.StackValidationPolicy(f"all{n}", "d", lambda args, _: handed.append(args.resources))
        for n in range(2)
    ]
    servicer = getattr(policy, _SERVICER)("p", "1", policies, crossguard.EnforcementLevel.ADVISORY)
    for names in ("ab", "a", ""):
        servicer.AnalyzeStack(
            rpc.AnalyzeStackRequest(resources=[resource(n, rpc.AnalyzerResource) for n in names]), None
        )
        first, second = handed[-2:]
        assert first is second
        assert [each.name for each in first] == list(names)


@pytest.mark.parametrize("level", [rpc.MANDATORY, rpc.REMEDIATE])
def test_remediations_that_a_config_asks_for_are_made_and_no_others(conversions: Counter[str], level: Any) -> None:
    asked = rpc.ConfigureAnalyzerRequest(policyConfig={"one1": rpc.PolicyConfig(enforcementLevel=level)})

    def remedied() -> bytes:
        servicer = served([])
        servicer.Configure(asked, None)
        return servicer.Remediate(resource("a", rpc.AnalyzeRequest), None).SerializeToString(deterministic=True)

    plain = remedied()
    assert (b"a mended" in plain) == (level == rpc.REMEDIATE)
    conversions.clear()
    assert convert_once()
    assert remedied() == plain
    assert bool(conversions["a"]) == (level == rpc.REMEDIATE)


def test_only_policies_about_a_resources_type_are_asked(stock: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def note(args: Any, _report: crossguard.ReportViolation) -> None:
        asked.append(getattr(args, "name", "stack"))

    convert_once()
    of_one = [crossguard.ResourceValidationPolicy(f"one{n}", "d", note) for n in range(POLICIES)]
    made = Policies([*of_one, crossguard.StackValidationPolicy("whole", "d", note)], lambda _: [1, 2])
    servicer = getattr(policy, _SERVICER)("p", "1", made, crossguard.EnforcementLevel.ADVISORY)
    first, _, whole = requests()
    servicer.Analyze(first, None)
    servicer.AnalyzeStack(whole, None)
    assert asked == ["a", "a", "stack"]
    assert [each.name for each in made] == ["one0", "one1", "one2", "one3", "one4", "whole"]


def test_without_the_conversions_every_policy_is_asked() -> None:
    made = Policies([crossguard.StackValidationPolicy("whole", "d", lambda *_: None)], lambda _: [])
    assert len(list(made)) == 1
