"""What checkov says of a stack, rendered as ARM templates and Kubernetes manifests, beside what the policies say."""

from __future__ import annotations

import json
import os
import subprocess
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from local.commands.arm import bodies
from local.commands.plan import Planned, planned
from policies.assessment import findings
from policies.judging import Finding
from policies.levels import Levels
from policies.recording import Recording
from policies.rule import Rule

_TEMPLATE = {
    "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
    "contentVersion": "1.0.0.0",
}


@dataclass(frozen=True)
class Check:
    """What checkov came to for a resource. urn: of the resource, whatever checkov calls it."""

    id: str
    title: str
    urn: str
    passed: bool


@dataclass(frozen=True, order=True)
class Disagreement:
    """What checkov and the policies do not see alike. says: see policies/checkov.yaml."""

    check: str
    type: str
    says: str


def checked(recording: Recording, folder: Path, python: Path) -> list[Check]:
    """What checkov says. python: an interpreter that has it. Raises CalledProcessError when it ends badly."""
    resources = planned({**each, "inputs": each["properties"]} for each in recording.registered)
    names = _rendered(resources, folder)
    asked = [str(python), "-m", "checkov.main", "--directory", str(folder), "--framework", "arm", "kubernetes"]
    asked += ["--output", "json", "--soft-fail", "--skip-download", "--compact"]
    offline = {**os.environ, "CHECKOV_EXPERIMENTAL_TERRAFORM_MANAGED_MODULES": "False", "LOG_LEVEL": "ERROR"}
    said = subprocess.run(asked, capture_output=True, text=True, check=True, env=offline).stdout
    reports = json.loads(said)
    return list(_checks(reports if isinstance(reports, list) else [reports], names))


def _rendered(resources: Iterable[Planned], folder: Path) -> dict[str, str]:
    """Writes one template or manifest for each resource, named by a number; returns URN by file name."""
    names: dict[str, str] = {}
    for number, each in enumerate(resources):
        if each.token.startswith("azure-native:"):
            name, text = f"{number}.json", json.dumps({**_TEMPLATE, "resources": bodies([each])}, indent=1)
        elif each.token.startswith("kubernetes:"):
            name, text = f"{number}.yaml", yaml.safe_dump(dict(each.inputs), sort_keys=False)
        else:
            continue
        (folder / name).write_text(text)
        names[name] = each.urn
    return names


def _checks(reports: Iterable[Mapping[str, Any]], names: Mapping[str, str]) -> Iterator[Check]:
    for report in reports:
        for passed, kind in ((True, "passed_checks"), (False, "failed_checks")):
            for each in report.get("results", {}).get(kind, ()):
                urn = names[Path(each["file_path"]).name]
                yield Check(each["check_id"], each["check_name"], urn, passed)


def disagreements(checks: Iterable[Check], rules: Iterable[Rule], recording: Recording) -> set[Disagreement]:
    """Where checkov and the rules that are mapped to its check come to something else."""
    mapped: dict[str, list[Rule]] = {}
    for rule in rules:
        for id_ in rule.checkov:
            mapped.setdefault(id_, []).append(rule)
    asked = list({rule.id: rule for own in mapped.values() for rule in own}.values())
    found = findings(asked, recording.subjects(), recording.whole(), Levels({}))
    verdicts: dict[tuple[str, str], Finding] = {(each.rule.id, each.urn): each for each in found}
    types = {each["urn"]: each["type"] for each in recording.registered}
    return {
        Disagreement(check.id, types[check.urn], says)
        for check in checks
        if (says := _compared(check, [verdicts.get((rule.id, check.urn)) for rule in mapped.get(check.id, ())]))
    }


def _compared(check: Check, own: list[Finding | None]) -> str:
    statuses = Counter(each.status for each in own if each)
    if not statuses:
        return "" if check.passed else "not demanded here"
    if statuses["not evaluated"]:
        return ""  # what is not known yet is nobody's mistake
    if check.passed and statuses["failed"]:
        return "accepted by checkov alone"
    return "refused by checkov alone" if not check.passed and not statuses["failed"] else ""
