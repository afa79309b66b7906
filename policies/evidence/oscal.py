"""OSCAL assessment results (NIST, 1.2.1): a finding a rule, an observation for each resource that it judged."""

from __future__ import annotations

import re
import uuid
from collections.abc import Sequence
from typing import Any

from policies.assessment import Verdict
from policies.evidence.subject import LOOK, Evidence, cited, resource_name, worst
from policies.rule import Rule

_VERSION = "1.2.1"
_PROPERTIES = "https://tributary.example/ns/oscal"
"""Namespace of our own properties."""
_NAMESPACE = uuid.UUID("5b1a8f4e-7f0b-5c59-8f0e-2f6f1f9a7c33")


def oscal(evidence: Evidence) -> dict[str, Any]:
    """The whole document. The same evidence gets the same identifiers."""
    at = f"{evidence.at:%Y-%m-%dT%H:%M:%SZ}"
    plan = _uuid(evidence, "plan")
    return {
        "assessment-results": {
            "uuid": _uuid(evidence, "results"),
            "metadata": {
                "title": f"Policies of stack {evidence.stack}",
                "last-modified": at,
                "version": evidence.versions["policy pack"],
                "oscal-version": _VERSION,
                "props": [_property(f"version-of-{_token(key)}", each) for key, each in evidence.versions.items()],
            },
            "import-ap": {"href": f"#{plan}"},
            "results": [_result(evidence, at)],
            "back-matter": {
                "resources": [
                    {
                        "uuid": plan,
                        "title": "Assessment plan",
                        "description": "Every rule of the policy pack, put to every resource that it is about.",
                    }
                ]
            },
        }
    }


def _result(evidence: Evidence, at: str) -> dict[str, Any]:
    judged = sorted({each.urn for each in evidence.assessment.verdicts})
    controls = [_token(f"{name} {item}") for name, items in cited(evidence.assessment.rules).items() for item in items]
    used = [each for each in evidence.assessment.rules if evidence.assessment.of(each)]
    return {
        "uuid": _uuid(evidence, "result"),
        "title": f"Judgement of {evidence.source}",
        "description": (
            f"What was judged has SHA-256 {evidence.digest}; policy config: {evidence.config}; "
            f"compared with {evidence.compared}."
        ),
        "start": at,
        "end": at,
        "local-definitions": {
            "inventory-items": [
                {
                    "uuid": _uuid(evidence, urn),
                    "description": resource_name(urn),
                    "props": [
                        _property("urn", urn),
                        _property("type", evidence.resources.get(urn, "pulumi:pulumi:Stack")),
                    ],
                }
                for urn in judged
            ]
        },
        "reviewed-controls": {
            "control-selections": [
                {
                    "description": "Controls that rules are mapped to, as Azure Policy's initiatives group them.",
                    "include-controls": [{"control-id": each} for each in dict.fromkeys(controls)],
                }
            ]
        },
        "observations": [_observation(evidence, each, at) for each in evidence.assessment.verdicts],
        "findings": [_finding(evidence, rule) for rule in used],
    }


def _observation(evidence: Evidence, verdict: Verdict, at: str) -> dict[str, Any]:
    made: dict[str, Any] = {
        "uuid": _of(evidence, verdict),
        "title": f"{verdict.rule.id} {verdict.rule.title}",
        "description": verdict.reason or LOOK[verdict.status],
        "props": [_property("status", verdict.status)],
        "methods": ["TEST"],
        "subjects": [{"subject-uuid": _uuid(evidence, verdict.urn), "type": "inventory-item"}],
        "collected": at,
    }
    if verdict.waiver:
        waiver = verdict.waiver
        made["remarks"] = f"Waiver of {waiver.owner} until {waiver.expires}: {waiver.reason}"
    return made


def _finding(evidence: Evidence, rule: Rule) -> dict[str, Any]:
    verdicts = evidence.assessment.of(rule)
    came_to = worst(verdicts) or "not evaluated"
    controls = [f"{name} {item}" for name, items in rule.controls.items() for item in items]
    return {
        "uuid": _uuid(evidence, f"finding {rule.id}"),
        "title": f"{rule.title}.",
        "description": _summary(verdicts),
        "props": [
            _property("severity", rule.severity),
            _property("enforcement-level", evidence.assessment.levels[rule.id]),
            *(_property("control", each) for each in controls),
        ],
        "target": {
            "type": "objective-id",
            "target-id": rule.id,
            "status": {
                "state": "satisfied" if came_to == "passed" else "not-satisfied",
                "reason": {"passed": "pass", "failed": "fail"}.get(came_to, "other"),
                "remarks": LOOK[came_to],
            },
        },
        "related-observations": [{"observation-uuid": _of(evidence, each)} for each in verdicts],
        "remarks": rule.fix,
    }


def _summary(verdicts: Sequence[Verdict]) -> str:
    found = [each.status for each in verdicts]
    return ", ".join(f"{found.count(each)} {each}" for each in LOOK if each in found)


def _of(evidence: Evidence, verdict: Verdict) -> str:
    return _uuid(evidence, f"{verdict.rule.id} {verdict.urn}")


def _property(name: str, value: str) -> dict[str, str]:
    return {"name": name, "ns": _PROPERTIES, "value": value}


def _token(text: str) -> str:
    """Text as OSCAL's token type allows it: no spaces, a letter first."""
    return re.sub(r"[^A-Za-z0-9.\-]+", "_", text)


def _uuid(evidence: Evidence, what: str) -> str:
    return str(uuid.uuid5(_NAMESPACE, f"{evidence.digest} {evidence.at.isoformat()} {what}"))
