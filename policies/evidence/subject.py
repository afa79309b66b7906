"""What evidence is about: an assessment, and all that says under which circumstances it was made."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from policies.assessment import Assessment, Status, Verdict
from policies.rule import Rule
from policies.waivers import Waiver

LOOK: dict[Status, str] = {
    "passed": "complies",
    "failed": "violates",
    "waived": "violates, and is waived until a date",
    "not evaluated": "not evaluated: something it depends on is not known",
}
"""Every status in words."""
_NOTHING = (
    "nothing: TRIBUTARY_DEPLOYED names no export of the deployed stack, so rules on what can't be changed later were "
    "not evaluated"
)


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """An assessment under circumstances.

    stack: name. source: what was judged, in words. at: when, UTC. digest: SHA-256 of what was judged.
    resources: URN → type of everything that was handed to the pack. waivers: all of this stack.
    config: name of the policy config. versions: name → version of everything that took part.
    before: the deployed state that it was compared with, in words; empty for none.
    """

    assessment: Assessment
    stack: str
    source: str
    at: datetime.datetime
    digest: str
    resources: Mapping[str, str]
    waivers: Iterable[Waiver]
    config: str
    versions: Mapping[str, str]
    before: str = ""

    @property
    def compared(self) -> str:
        """What was judged as a change of what, in words."""
        return self.before or _NOTHING

    def counts(self) -> dict[Status, int]:
        """How many verdicts there are of each status."""
        found = [each.status for each in self.assessment.verdicts]
        return {status: found.count(status) for status in LOOK}


def resource_name(urn: str) -> str:
    """The last part of a URN: what a person calls the resource."""
    return urn.rsplit("::", 1)[-1]


def cited(rules: Iterable[Rule]) -> dict[str, dict[str, list[Rule]]]:
    """Framework → control → the rules that are mapped to it."""
    found: dict[str, dict[str, list[Rule]]] = {}
    for rule in rules:
        for framework, items in rule.controls.items():
            for item in items:
                found.setdefault(framework, {}).setdefault(item, []).append(rule)
    return found


_WORST_FIRST: tuple[Status, ...] = ("failed", "waived", "not evaluated", "passed")


def worst(verdicts: Iterable[Verdict]) -> Status | None:
    """One status for several: failed before waived before not evaluated before passed; None for none."""
    found = {each.status for each in verdicts}
    return next((each for each in _WORST_FIRST if each in found), None)
