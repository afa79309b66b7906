"""Mutation gate: what is broken in the prod stack is noticed by exactly the rules that are declared to notice it."""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from google.protobuf import struct_pb2
from pulumi.runtime.proto import analyzer_pb2
from pulumi_policy import EnforcementLevel, policy

from policies import pack
from policies.assessment import findings
from policies.properties import Truth
from policies.recording import Recording
from tests.policies.mutation import LEVELS, Gate, Mutation, survivors

pytestmark = pytest.mark.xdist_group("recording")


@pytest.fixture(scope="module")
def gate(prod: Recording) -> Gate:
    return Gate(prod)


def test_every_mutation_fires_exactly_the_declared_rules_and_every_rule_is_killed(gate: Gate) -> None:
    outcomes = [gate.outcome(each) for each in gate.mutations()]
    wrong = [
        f"{each.mutation.rule.id} {each.mutation.what} ({each.mutation.source}): {sorted(each.fired)} fired"
        for each in outcomes
        if not each.as_declared
    ]
    assert wrong == []
    assert survivors(outcomes, gate.rules) == []


@pytest.mark.full
def test_rules_that_do_not_read_what_is_broken_come_to_the_same(gate: Gate, prod: Recording) -> None:
    anew = Gate(prod, anew=True)
    assert [anew.outcome(each) for each in anew.mutations()] == [gate.outcome(each) for each in gate.mutations()]


def test_most_of_what_is_broken_is_of_the_stack_itself(gate: Gate) -> None:
    sources = [each.source for each in gate.mutations()]
    assert sources.count("prod stack") > 100


def _with(rule_id: str, demand: Any) -> list[Any]:
    return [dataclasses.replace(each, demand=demand) if each.id == rule_id else each for each in pack.load()]


def _of(gate: Gate, rule_id: str) -> list[Mutation]:
    return [each for each in gate.mutations() if each.rule.id == rule_id]


def test_a_rule_that_never_fires_survives(prod: Recording) -> None:
    blind = Gate(prod, _with("TRB-ST-002", lambda _: Truth(True)))
    outcomes = [blind.outcome(each) for each in _of(blind, "TRB-ST-002")]
    assert survivors(outcomes, [each.mutation.rule for each in outcomes]) == ["TRB-ST-002"]


def test_a_rule_that_fires_for_anothers_reason_is_noticed(prod: Recording) -> None:
    jumpy = Gate(prod, _with("TRB-ST-003", lambda account: account["minimumTlsVersion"] == "TLS1_2"))
    (outcome,) = [jumpy.outcome(each) for each in _of(jumpy, "TRB-ST-002")]
    assert outcome.fired == {"TRB-ST-002", "TRB-ST-003"}
    assert not outcome.as_declared


def _message(properties: Mapping[str, Any]) -> struct_pb2.Struct:
    made = struct_pb2.Struct()
    made.update(properties)
    return made


def reported(registered: Sequence[Mapping[str, Any]], stack: Sequence[Mapping[str, Any]]) -> set[tuple[str, str]]:
    """Rule and URN of each violation that CrossGuard's own server answers the engine with."""
    server = policy._PolicyAnalyzerServicer(
        pack.NAME,
        "1",
        pack.policies_of(pack.load(), [], datetime.date(2027, 1, 1)),
        EnforcementLevel.MANDATORY,
    )
    found: set[tuple[str, str]] = set()

    def keep(diagnostics: Sequence[Any], urn: str = "") -> None:
        found.update((each.policyName, each.urn or urn) for each in diagnostics)

    for each in registered:
        asked = analyzer_pb2.AnalyzeRequest(
            type=each["type"], name=each["name"], urn=each["urn"], properties=_message(each["properties"])
        )
        keep(server.Analyze(asked, None).diagnostics, each["urn"])
    together = [
        analyzer_pb2.AnalyzerResource(
            type=each["type"],
            name=each["name"],
            urn=each["urn"],
            properties=_message(each["properties"]),
            options=analyzer_pb2.AnalyzerResourceOptions(protect=each["protect"]),
            propertyDependencies={
                key: analyzer_pb2.AnalyzerPropertyDependencies(urns=value) for key, value in each["uses"].items()
            },
        )
        for each in stack
    ]
    keep(server.AnalyzeStack(analyzer_pb2.AnalyzeStackRequest(resources=together), None).diagnostics)
    return found


def judged(registered: Sequence[Mapping[str, Any]], stack: Sequence[Mapping[str, Any]]) -> set[tuple[str, str]]:
    """The same, as the gate finds it."""
    recording = Recording(registered, stack)
    found = findings(pack.load(), recording.subjects(), recording.whole(), LEVELS)
    return {(each.rule.id, each.urn) for each in found if each.status == "failed"}


def _weakened(resource: Mapping[str, Any]) -> Mapping[str, Any]:
    """Without most of what was decided: something to report for most types."""
    kept = ("metadata", "location", "resourceGroupName")
    return {**resource, "properties": {key: each for key, each in resource["properties"].items() if key in kept}}


def test_crossguards_own_server_reports_what_the_gate_finds(prod: Recording) -> None:
    one_a_type = [_weakened(each) for each in {each["type"]: each for each in prod.registered}.values()]
    expected = judged(one_a_type, one_a_type)
    assert len({rule for rule, _ in expected}) > 80
    assert reported(one_a_type, one_a_type) == expected


@pytest.mark.full
def test_crossguards_own_server_reports_of_all_of_prod_what_the_gate_finds(prod: Recording) -> None:
    assert reported(prod.registered, prod.stack) == judged(prod.registered, prod.stack)
