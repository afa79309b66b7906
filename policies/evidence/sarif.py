"""SARIF 2.1.0 (OASIS, sarif-v2.1.0-errata01): a result for each rule and resource, and for each rule that has none."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

from policies import pack
from policies.assessment import Verdict
from policies.evidence.subject import Evidence, cited, resource_name
from policies.rule import Rule

_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_LEVELS = {"critical": "error", "high": "error", "medium": "warning", "low": "note"}
_KINDS = {"passed": "pass", "failed": "fail", "waived": "fail", "not evaluated": "open"}
_NAMESPACE = uuid.UUID("6f5f2a0e-4d0c-5f0e-9a36-0d8a7d1c2b11")


def sarif(evidence: Evidence) -> dict[str, Any]:
    """The whole log."""
    rules = list(evidence.assessment.rules)
    places = {each.id: index for index, each in enumerate(rules)}
    frameworks = cited(rules)
    run = {
        "tool": {
            "driver": {
                "name": pack.NAME,
                "version": evidence.versions["policy pack"],
                "rules": [_descriptor(each) for each in rules],
                "supportedTaxonomies": [{"name": each, "guid": _guid(each)} for each in frameworks],
            }
        },
        "automationDetails": {"id": f"{pack.NAME}/{evidence.stack}/"},
        "invocations": [{"executionSuccessful": True, "endTimeUtc": f"{evidence.at:%Y-%m-%dT%H:%M:%SZ}"}],
        "taxonomies": [
            {"name": name, "guid": _guid(name), "taxa": [{"id": item} for item in items]}
            for name, items in frameworks.items()
        ],
        "results": [
            *(_result(each, places) for each in evidence.assessment.verdicts),
            *_without_verdict(evidence, places),
        ],
        "properties": {
            "judged": evidence.source,
            "sha256": evidence.digest,
            "comparedWith": evidence.compared,
            "policyConfig": evidence.config,
            "versions": dict(evidence.versions),
        },
    }
    return {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}


def _guid(name: str) -> str:
    return str(uuid.uuid5(_NAMESPACE, name))


def _descriptor(rule: Rule) -> dict[str, Any]:
    return {
        "id": rule.id,
        "shortDescription": {"text": f"{rule.title}."},
        "fullDescription": {"text": rule.why},
        "help": {"text": rule.fix},
        "defaultConfiguration": {"level": _LEVELS[rule.severity]},
        "relationships": [
            {"target": {"id": item, "toolComponent": {"name": name, "guid": _guid(name)}}, "kinds": ["relevant"]}
            for name, items in rule.controls.items()
            for item in items
        ],
        "properties": {"severity": rule.severity, "tags": [rule.topic]},
    }


def _result(verdict: Verdict, places: dict[str, int]) -> dict[str, Any]:
    kind = _KINDS[verdict.status]
    place = {
        "name": resource_name(verdict.urn),
        "fullyQualifiedName": verdict.urn,
        "kind": "resource",
    }
    made: dict[str, Any] = {
        "ruleId": verdict.rule.id,
        "ruleIndex": places[verdict.rule.id],
        "kind": kind,
        "level": _LEVELS[verdict.rule.severity] if kind == "fail" else "none",
        "message": {"text": verdict.reason or f"{verdict.rule.title}."},
        "locations": [{"logicalLocations": [place]}],
    }
    if verdict.status == "waived" and verdict.waiver:
        words = f"Until {verdict.waiver.expires}, {verdict.waiver.owner}: {verdict.waiver.reason}"
        made["suppressions"] = [{"kind": "external", "status": "accepted", "justification": words}]
    return made


def _without_verdict(evidence: Evidence, places: dict[str, int]) -> Iterator[dict[str, Any]]:
    for rule in evidence.assessment.rules:
        if why := evidence.assessment.unused(rule):
            yield {
                "ruleId": rule.id,
                "ruleIndex": places[rule.id],
                "kind": "notApplicable",
                "level": "none",
                "message": {"text": f"Not evaluated: {why}."},
            }
