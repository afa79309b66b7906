"""Report: one HTML page without anything to load, for people; Jinja escapes whatever comes from the stack."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2

from policies.assessment import ROOT, Status, Verdict
from policies.evidence.subject import LOOK, Evidence, cited, resource_name, worst
from policies.rule import Rule

_TEMPLATES = Path(__file__).resolve().parent
SEVERITIES = ("critical", "high", "medium", "low")
_LATER = (
    "Known only after deployment",
    "What a preview can't know, the update judges before it creates the resource. A report from the deployed state has "
    "an answer.",
)
_CHANGES = (
    "What can't be changed later, with no deployed state to compare with",
    "Name what `pulumi stack export` wrote in TRIBUTARY_DEPLOYED.",
)
_MARKS = {"passed": "✓", "failed": "✗", "waived": "W", "not evaluated": "?"}


@dataclass(frozen=True)
class Matrix:
    """The resources of one type, and the rules that judge any of them.

    rows: name, URN, and the verdicts in the order of the rules.
    """

    type: str
    rules: Sequence[Rule]
    rows: Sequence[tuple[str, str, Sequence[Verdict | None]]]


def html(evidence: Evidence) -> str:
    """The page."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    verdicts = evidence.assessment.verdicts
    order = {each: at for at, each in enumerate(SEVERITIES)}
    return environment.get_template("report.html.j2").render(
        evidence=evidence,
        assessment=evidence.assessment,
        counts=evidence.counts(),
        look=LOOK,
        marks=_MARKS,
        name=resource_name,
        type_of=lambda urn: evidence.resources.get(urn, ROOT),
        severities=_by_severity(evidence),
        failed=sorted((v for v in verdicts if v.status == "failed"), key=lambda v: (order[v.rule.severity], v.rule.id)),
        waived=[each for each in verdicts if each.status == "waived"],
        unknown=_unknown(evidence),
        unused=[(each, why) for each in evidence.assessment.rules if (why := evidence.assessment.unused(each))],
        matrices=matrices(evidence),
        silent=_silent(evidence),
        frameworks=_controls(evidence),
        resources=_resources(evidence),
    )


def matrices(evidence: Evidence) -> list[Matrix]:
    """A matrix a type, the stack's own first."""
    types = {each.urn: evidence.resources.get(each.urn, ROOT) for each in evidence.assessment.verdicts}
    cells = {(each.urn, each.rule.id): each for each in evidence.assessment.verdicts}
    made = []
    for type_ in sorted(set(types.values()), key=lambda each: (each != ROOT, each)):
        urns = sorted((each for each, own in types.items() if own == type_), key=resource_name)
        rules = [each for each in evidence.assessment.rules if any((urn, each.id) in cells for urn in urns)]
        rows = [(resource_name(urn), urn, [cells.get((urn, each.id)) for each in rules]) for urn in urns]
        made.append(Matrix(type_, rules, rows))
    return made


def _by_severity(evidence: Evidence) -> list[tuple[str, dict[Status, int]]]:
    found = []
    for severity in SEVERITIES:
        own = [each.status for each in evidence.assessment.verdicts if each.rule.severity == severity]
        found.append((severity, {status: own.count(status) for status in LOOK}))
    return found


def _unknown(evidence: Evidence) -> list[tuple[str, str, list[tuple[Rule, list[Verdict]]]]]:
    """What was not evaluated, by why, with what would help, and by rule."""
    open_ = [each for each in evidence.assessment.verdicts if each.status == "not evaluated"]
    rules = list({each.rule.id: each.rule for each in open_}.values())
    found = [(rule, [each for each in open_ if each.rule is rule]) for rule in rules]
    unchanged = [each for each in found if each[0].deployed is not None and not evidence.before]
    groups = ((_LATER, [each for each in found if each not in unchanged]), (_CHANGES, unchanged))
    return [(title, remedy, group) for (title, remedy), group in groups if group]


def _silent(evidence: Evidence) -> list[tuple[str, int]]:
    """Types that no rule is about, and how many resources there are of each."""
    judged = {each.urn for each in evidence.assessment.verdicts}
    left = [type_ for urn, type_ in evidence.resources.items() if urn not in judged]
    return [(type_, left.count(type_)) for type_ in sorted(set(left))]


def _resources(evidence: Evidence) -> list[tuple[str, Status | None]]:
    """Every URN, and the worst of its verdicts."""
    return [(urn, worst(v for v in evidence.assessment.verdicts if v.urn == urn)) for urn in sorted(evidence.resources)]


def _controls(evidence: Evidence) -> list[tuple[str, list[Any]]]:
    """Framework → control → its rules with what they came to, and the worst of that."""
    found: list[Any] = []
    for framework, items in sorted(cited(evidence.assessment.rules).items()):
        rows = []
        for item in sorted(items, key=_natural):
            rules = [(each, worst(evidence.assessment.of(each))) for each in items[item]]
            rows.append((item, rules, worst(v for each in items[item] for v in evidence.assessment.of(each))))
        found.append((framework, rows))
    return found


def _natural(item: str) -> list[tuple[int, str]]:
    parts = item.replace("-", ".").split(".")
    return [(int(part), "") if part.isdigit() else (0, part) for part in parts]
