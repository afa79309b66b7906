"""Waivers: rules that need not hold for a resource until a date, and who answers for that."""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from policies.judging import Finding
from policies.subject import stack_of

_FIELDS = ("rule", "resource", "owner", "reason", "expires")


class WaiverError(Exception):
    """The file can't be read as waivers; the message starts with file and line."""


@dataclass(frozen=True)
class Waiver:
    """One exception. resource: URN, or the stack's URN for a finding about the stack. where: file and line."""

    rule: str
    resource: str
    owner: str
    reason: str
    expires: datetime.date
    where: str

    def covers(self, finding: Finding, stack_urn: str = "") -> bool:
        """Whether it is about this finding, expired or not."""
        return (self.rule, self.resource) == (finding.rule.id, finding.urn or stack_urn)

    def expired(self, today: datetime.date) -> bool:
        """The last day is still covered."""
        return today > self.expires

    @property
    def stack(self) -> str:
        """Stack and project that it is for, as a URN names them."""
        return stack_of(self.resource)


def read(path: Path, known_rules: Iterable[str]) -> list[Waiver]:
    """The waivers of a file; none when it holds only comments. Raises WaiverError for the first thing wrong in it."""
    try:
        root = yaml.compose(path.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
    except (OSError, UnicodeDecodeError) as error:
        raise WaiverError(f"{path}:1: can't be read: {error}. Restore it from version control.") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line, problem = (mark.line + 1 if mark else 1), getattr(error, "problem", None) or "no YAML"
        raise WaiverError(f"{path}:{line}: {problem}. Write a list of waivers, as docs/policies/waivers.md.") from None
    if root is None:
        return []
    if not isinstance(root, yaml.SequenceNode):
        raise WaiverError(f"{path}:{root.start_mark.line + 1}: a list of waivers is expected, each `- rule: TRB-…`.")
    known = set(known_rules)
    found: list[Waiver] = []
    for node in root.value:
        made = _waiver(path, node, known)
        if twin := next((each for each in found if (each.rule, each.resource) == (made.rule, made.resource)), None):
            raise WaiverError(f"{made.where}: waives the same as {twin.where}. Remove one of them.")
        found.append(made)
    return found


def _waiver(path: Path, node: yaml.Node, known: set[str]) -> Waiver:
    where = f"{path}:{node.start_mark.line + 1}"
    if not isinstance(node, yaml.MappingNode):
        raise WaiverError(f"{where}: a waiver has the fields {', '.join(_FIELDS)}.")
    fields: dict[str, Any] = {}
    for key, value in node.value:
        here = f"{path}:{key.start_mark.line + 1}"
        if not isinstance(key, yaml.ScalarNode) or key.value not in _FIELDS:
            raise WaiverError(
                f"{here}: {getattr(key, 'value', 'this')!r} is no field; allowed are {', '.join(_FIELDS)}."
            )
        if key.value in fields:
            raise WaiverError(f"{here}: {key.value} is said twice. Remove one of them.")
        if not isinstance(value, yaml.ScalarNode) or not value.value.strip():
            raise WaiverError(f"{here}: {key.value} must be text that is not empty.")
        fields[key.value] = value.value.strip()
        if key.value == "rule" and value.value not in known:
            raise WaiverError(f"{here}: there is no rule {value.value!r}; docs/policies/ lists those there are.")
        if key.value == "resource" and not fields["resource"].startswith("urn:pulumi:"):
            raise WaiverError(f"{here}: resource must be the URN that the violation names, urn:pulumi:<stack>::….")
        if key.value == "expires":
            fields["expires"] = _date(here, value.value)
    if missing := [each for each in _FIELDS if each not in fields]:
        raise WaiverError(f"{where}: {', '.join(missing)} is missing. A waiver has {', '.join(_FIELDS)}.")
    return Waiver(where=where, **fields)


def _date(where: str, text: str) -> datetime.date:
    try:
        return datetime.date.fromisoformat(text.strip())
    except ValueError:
        raise WaiverError(f"{where}: expires is {text!r}; allowed is a date such as 2027-03-31.") from None


class Ledger:
    """Applies waivers to findings, and knows which were of no use."""

    def __init__(self, waivers: Iterable[Waiver], today: datetime.date) -> None:
        self._waivers = list(waivers)
        self._today = today
        self._used: set[Waiver] = set()

    def waiver_of(self, finding: Finding, stack_urn: str = "") -> Waiver | None:
        """The waiver of a finding that did not pass; remembers that it was of use."""
        found = next((each for each in self._waivers if each.covers(finding, stack_urn)), None)
        if found and finding.status != "passed":
            self._used.add(found)
            return found
        return None

    def forgiven(self, finding: Finding, stack_urn: str = "") -> tuple[bool, str]:
        """Whether a failed finding is waived; if it was until a date, the words that say so."""
        found = self.waiver_of(finding, stack_urn)
        if found is None:
            return False, ""
        if found.expired(self._today):
            return False, f"The waiver of {found.owner} ended on {found.expires} ({found.where})."
        return True, f"Waived until {found.expires} by {found.owner}: {found.reason}"

    def idle(self, stack: str) -> list[tuple[Waiver, str]]:
        """Waivers for a stack ("prod::tributary") that are to be removed, and why."""
        ours = [each for each in self._waivers if each.stack == stack]
        return [
            (each, f"expired on {each.expires}" if each.expired(self._today) else "nothing to waive")
            for each in ours
            if each not in self._used or each.expired(self._today)
        ]
