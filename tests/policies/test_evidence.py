"""Evidence: says of every rule and resource what came out and why, in four forms, and never a value."""

from __future__ import annotations

import datetime
import hashlib
import json
import re
import subprocess
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from local.commands.evidence import evidence as judged_evidence
from local.instance import REPOSITORY
from local.toolchain import packages, versions
from local.toolchain.errors import ToolchainError
from policies import pack
from policies.assessment import assess
from policies.deployed import Deployed
from policies.evidence.folder import write
from policies.evidence.report import html, matrices
from policies.evidence.sarif import sarif
from policies.evidence.subject import Evidence
from policies.levels import Levels
from policies.recording import Recording
from policies.waivers import Waiver
from tests.policies.proxies import UNKNOWN

pytestmark = pytest.mark.xdist_group("recording")
RULES = pack.load()
CONFIG = REPOSITORY / "policies" / "config" / "prod.json"
NOW = datetime.datetime(2027, 1, 1, 12, tzinfo=datetime.UTC)


def made(
    recording: Recording,
    config: Mapping[str, Any] | None = None,
    *waivers: Waiver,
    deployed: Mapping[str, Mapping[str, Any]] | None = None,
) -> Evidence:
    known = None if deployed is None else Deployed(deployed)
    return Evidence(
        assessment=assess(RULES, recording, Levels(config or {}), waivers, NOW.date(), known),
        stack="prod",
        source="a preview of a test",
        at=NOW,
        digest=recording.digest,
        resources={each["urn"]: each["type"] for each in recording.stack},
        waivers=waivers,
        config="prod.json",
        versions={"policy pack": "1.0.0", "Python": "3"},
        before="" if deployed is None else "before.json",
    )


def one(type_: str, properties: Mapping[str, Any], name: str = "it") -> Recording:
    urn = f"urn:pulumi:prod::tributary::{type_}::{name}"
    kept = {"type": type_, "name": name, "urn": urn, "protect": True, "properties": properties, "uses": {}}
    root = {
        "type": "pulumi:pulumi:Stack",
        "name": "tributary-prod",
        "urn": "urn:pulumi:prod::tributary::pulumi:pulumi:Stack::tributary-prod",
        "protect": False,
        "properties": {},
        "uses": {},
    }
    return Recording([kept], [root, kept])


ACCOUNT = "azure-native:storage:StorageAccount"
GUARDED = {"minimumTlsVersion": "TLS1_0", "allowBlobPublicAccess": UNKNOWN}
WAIVER = Waiver(
    "TRB-ST-002",
    f"urn:pulumi:prod::tributary::{ACCOUNT}::it",
    "platform team",
    "an old client",
    datetime.date(2027, 3, 31),
    "waivers.yaml:1",
)


def test_the_matrix_holds_every_verdict_once(prod: Recording) -> None:
    evidence = made(prod)
    shown = [cell for matrix in matrices(evidence) for _, _, cells in matrix.rows for cell in cells if cell]
    assert sorted(map(id, shown)) == sorted(map(id, evidence.assessment.verdicts))
    assert len(shown) == html(evidence).count('<td class="cell ')
    assert len(shown) == len([each for each in sarif(evidence)["runs"][0]["results"] if "locations" in each])


def test_what_was_not_evaluated_says_why() -> None:
    evidence = made(one(ACCOUNT, GUARDED), {"TRB-ST-001": "disabled"})
    page = html(evidence)
    assert "allowBlobPublicAccess is known only after deployment" in page
    assert "no resource of type azure-native:servicebus:Namespace" in page
    assert "disabled by the policy config" in page
    kinds = {each["ruleId"]: each["kind"] for each in sarif(evidence)["runs"][0]["results"]}
    assert (kinds["TRB-ST-003"], kinds["TRB-SB-001"], kinds["TRB-ST-001"]) == ("open", "notApplicable", "notApplicable")


def test_a_waiver_in_force_is_shown_as_such_and_an_expired_one_as_a_violation() -> None:
    evidence = made(one(ACCOUNT, GUARDED), {}, WAIVER)
    (verdict,) = [each for each in evidence.assessment.verdicts if each.rule.id == "TRB-ST-002"]
    assert verdict.status == "waived"
    (result,) = [each for each in sarif(evidence)["runs"][0]["results"] if each["ruleId"] == "TRB-ST-002"]
    assert result["suppressions"][0]["justification"] == "Until 2027-03-31, platform team: an old client"

    expired = made(one(ACCOUNT, GUARDED), {}, replace(WAIVER, expires=datetime.date(2026, 12, 31)))
    assert "TRB-ST-002" in [each.rule.id for each in expired.assessment.stops]
    assert "The waiver of platform team ended on 2026-12-31." in html(expired)
    assert "expired on 2026-12-31" in html(expired)


def test_an_advisory_violation_stops_nothing() -> None:
    evidence = made(one(ACCOUNT, GUARDED), {"all": "advisory", "TRB-ST-002": "mandatory"})
    assert [each.rule.id for each in evidence.assessment.stops] == ["TRB-ST-002"]
    assert "Would be stopped: 1 violations" in html(evidence)
    assert "Nothing stands in the way" in html(made(one(ACCOUNT, GUARDED), {"all": "advisory"}))


FIXED = "TRB-AZURE-077"
PLAIN, SAFE = ({"encryption": {"requireInfrastructureEncryption": each}} for each in (False, True))


@pytest.mark.parametrize(
    ("before", "status", "kind"),
    [(None, "not evaluated", "open"), ({}, "passed", "pass"), (PLAIN, "passed", "pass"), (SAFE, "failed", "fail")],
)
def test_what_can_not_be_changed_later_is_judged_against_what_is_deployed(
    tmp_path: Path, before: Mapping[str, Any] | None, status: str, kind: str
) -> None:
    judged = one(ACCOUNT, PLAIN)
    urn = judged.registered[0]["urn"]
    root = {judged.stack[0]["urn"]: {}}
    evidence = made(judged, deployed=None if before is None else root | ({urn: before} if before else {}))
    (verdict,) = [each for each in evidence.assessment.verdicts if each.rule.id == FIXED]
    assert verdict.status == status
    (result,) = [each for each in sarif(evidence)["runs"][0]["results"] if each["ruleId"] == FIXED]
    assert result["kind"] == kind
    files = [each.read_text() for each in write(tmp_path, evidence) if each.name != "SHA256SUMS"]
    assert len(files) == 4
    for text in files:
        assert ("TRIBUTARY_DEPLOYED" in text) == (before is None)
        assert ("before.json" in text) == (before is not None)


def test_the_state_of_another_stack_answers_nothing_and_is_refused(tmp_path: Path) -> None:
    judged = one(ACCOUNT, PLAIN)
    other = {"urn:pulumi:dev::tributary::pulumi:pulumi:Stack::tributary-dev": {}}
    verdicts = made(judged, deployed=other).assessment.verdicts
    assert [each.status for each in verdicts if each.rule.id == FIXED] == ["not evaluated"]
    file = tmp_path / "dev.json"
    file.write_text(json.dumps({"version": 3, "deployment": {"resources": [{"urn": next(iter(other))}]}}))
    with pytest.raises(RuntimeError, match=r"dev\.json:1: is the state of dev::tributary; judged is prod::tributary"):
        judged_evidence(judged, "prod", "a test", CONFIG, file)
    file.write_text("[]")
    with pytest.raises(RuntimeError, match=r"dev\.json:1: is JSON, but no state"):
        judged_evidence(judged, "prod", "a test", CONFIG, file)


def _planted(value: Any, path: str = "") -> Any:
    match value:
        case dict():
            return {key: _planted(each, f"{path}.{key}") for key, each in value.items()}
        case list():
            return [_planted(each, f"{path}.{index}") for index, each in enumerate(value)]
        case str() if value != UNKNOWN:
            return f"planted-{hashlib.sha256(path.encode()).hexdigest()[:8]} AccountKey=planted-key;"
    return value


def test_no_value_of_a_property_is_in_any_file(prod: Recording, tmp_path: Path) -> None:
    kept = [
        [{**each, "properties": _planted(each["properties"])} for each in part]
        for part in (prod.registered, prod.stack)
    ]
    files = write(tmp_path, made(Recording(*kept)))
    assert len(files) == 5
    for each in files:
        assert "planted-" not in each.read_text(), each


def test_what_comes_from_the_stack_is_escaped(tmp_path: Path) -> None:
    evidence = made(one(ACCOUNT, GUARDED, "<script>alert(1)</script>"))
    assert "<script" not in html(evidence)
    assert "&lt;script&gt;" in html(evidence)
    write(tmp_path, evidence)
    ElementTree.parse(tmp_path / "junit.xml")


def test_the_page_loads_nothing(prod: Recording) -> None:
    page = html(made(prod))
    assert not re.search(r"<(script|link|img|iframe)|@import|url\(|src=", page)
    assert {each[0] for each in re.findall(r'href="([^"]*)"', page)} == {"#"}


def test_every_link_of_the_page_has_a_target(prod: Recording) -> None:
    page = html(made(prod))
    targets = set(re.findall(r'id="([^"]*)"', page))
    assert {each[1:] for each in re.findall(r'href="([^"]*)"', page)} <= targets


def test_the_digest_is_of_what_was_judged_in_whatever_order(prod: Recording) -> None:
    turned = Recording(list(reversed(prod.registered)), list(reversed(prod.stack)))
    assert turned.digest == prod.digest
    first, *others = prod.registered
    changed = Recording([{**first, "properties": {**first["properties"], "x": 1}}, *others], prod.stack)
    assert changed.digest != prod.digest


def test_an_empty_stack_is_evidence_of_nothing(tmp_path: Path) -> None:
    evidence = made(Recording([], []))
    assert evidence.counts() == {"passed": 0, "failed": 0, "waived": 0, "not evaluated": 0}
    for each in write(tmp_path, evidence):
        assert each.read_text()


def test_the_digests_of_the_files_are_right(prod: Recording, tmp_path: Path) -> None:
    write(tmp_path, made(prod))
    lines = (tmp_path / "SHA256SUMS").read_text().splitlines()
    assert len(lines) == 4
    for line in lines:
        digest, name = line.split("  ")
        assert hashlib.sha256((tmp_path / name).read_bytes()).hexdigest() == digest


@pytest.mark.full
def test_the_standards_own_models_read_it(prod: Recording, tmp_path: Path) -> None:
    pins = [
        f"compliance-trestle=={versions.TRESTLE}",
        f"pydantic-sarif=={versions.PYDANTIC_SARIF}",
        f"junitparser=={versions.JUNITPARSER}",
    ]
    try:
        python = packages.apart("judges", pins)
    except ToolchainError as error:
        pytest.skip(str(error))
    evidence = made(prod, {"TRB-ST-001": "disabled"}, replace(WAIVER, resource=prod.stack[-1]["urn"]))
    write(tmp_path, evidence)
    reader = Path(__file__).with_name("read_evidence.py")
    done = subprocess.run([python, reader, tmp_path], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    verdicts, counts = evidence.assessment.verdicts, evidence.counts()
    assert json.loads(done.stdout) == {
        "results": len(verdicts) + sum(1 for each in RULES if evidence.assessment.unused(each)),
        "observations": len(verdicts),
        "findings": len({each.rule.id for each in verdicts}),
        "cases": len(verdicts),
        "failures": counts["failed"],
        "skipped": counts["waived"] + counts["not evaluated"],
    }
