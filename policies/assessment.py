"""Assessment: every rule put to everything in a recording, with the waivers that hold."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from policies.deployed import Deployed
from policies.judging import Finding, applies, judge, judge_stack
from policies.levels import Levels
from policies.recording import Recording
from policies.rule import Rule
from policies.subject import Stack, Subject, stack_of
from policies.waivers import Ledger, Waiver

Status = Literal["passed", "failed", "waived", "not evaluated"]
ROOT = "pulumi:pulumi:Stack"


@dataclass(frozen=True)
class Verdict:
    """What came out for a rule and a resource.

    urn: of the stack's root for the stack as such. waiver: the one that is about it, expired or not.
    """

    rule: Rule
    urn: str
    status: Status
    reason: str = ""
    waiver: Waiver | None = None


@dataclass(frozen=True)
class Assessment:
    """verdicts: one for each rule and each resource that it judges. levels: rule id → how it is enforced.

    idle: waivers of this stack that are to be removed, and why.
    """

    rules: Sequence[Rule]
    verdicts: Sequence[Verdict]
    levels: dict[str, str]
    idle: Sequence[tuple[Waiver, str]]

    def of(self, rule: Rule) -> list[Verdict]:
        """The verdicts of a rule."""
        return [each for each in self.verdicts if each.rule is rule]

    def unused(self, rule: Rule) -> str:
        """Why a rule has no verdict; empty when it has one."""
        if self.levels[rule.id] == "disabled":
            return "disabled by the policy config"
        if any(each.rule is rule for each in self.verdicts):
            return ""
        return f"no resource of type {', '.join(rule.on)}" if rule.on else "no resource that it is about"

    @property
    def stops(self) -> list[Verdict]:
        """The violations that stop a deployment."""
        return [each for each in self.verdicts if each.status == "failed" and self.levels[each.rule.id] != "advisory"]


def assess(
    rules: Sequence[Rule],
    recording: Recording,
    levels: Levels,
    waivers: Iterable[Waiver],
    today: datetime.date,
    deployed: Deployed | None = None,
) -> Assessment:
    """Judges all of a recording. deployed: what it would change; None where that is not known."""
    ledger = Ledger(waivers, today)
    asked = [each for each in rules if levels.level(each) != "disabled"]
    root = next((each["urn"] for each in recording.stack if each["type"] == ROOT), "")
    found = findings(asked, recording.subjects(deployed), recording.whole(), levels)
    return Assessment(
        rules,
        [_verdict(each, ledger, root) for each in found if each.urn or root],  # where nothing is there is no stack
        {each.id: levels.level(each) for each in rules},
        ledger.idle(stack_of(root)),
    )


def findings(rules: Iterable[Rule], subjects: Iterable[Subject], stack: Stack, levels: Levels) -> Iterable[Finding]:
    """What rules say of resources one by one, and of them all together."""
    resources = list(subjects)
    for rule in rules:
        settings = levels.settings(rule)
        if rule.judges_stack:
            yield from judge_stack(rule, stack, settings)
        else:
            yield from (judge(rule, each, settings) for each in resources if applies(rule, each))


def _verdict(finding: Finding, ledger: Ledger, root: str) -> Verdict:
    made = Verdict(finding.rule, finding.urn or root, finding.status, finding.reason)
    waiver = ledger.waiver_of(finding, root)
    if waiver is None:
        return made
    forgiven, _ = ledger.forgiven(finding, root)
    status: Status = "waived" if forgiven and finding.status == "failed" else finding.status
    return replace(made, status=status, waiver=waiver)
