"""Checkov, an outside judge, sees the prod stack as the policies do, or policies/checkov.yaml says why not."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
import yaml

from local.instance import REPOSITORY
from local.toolchain import packages, versions
from local.toolchain.errors import ToolchainError
from policies import pack
from policies.recording import Recording
from tests.policies.crosscheck import Disagreement, checked, disagreements

pytestmark = [pytest.mark.full, pytest.mark.xdist_group("recording")]
RULES = pack.load()


@pytest.fixture(scope="module")
def python() -> Path:
    try:
        return packages.apart("checkov", [f"checkov=={versions.CHECKOV}"])
    except ToolchainError as error:
        pytest.skip(str(error))


def listed() -> set[Disagreement]:
    entries = yaml.safe_load((REPOSITORY / "policies" / "checkov.yaml").read_text())
    assert all(each["reason"].endswith(".") for each in entries)
    return {Disagreement(each["check"], each["type"], each["says"]) for each in entries}


def test_every_disagreement_on_the_prod_stack_has_a_reason(prod: Recording, python: Path, tmp_path: Path) -> None:
    checks = checked(prod, tmp_path, python)
    assert len(checks) > 500
    assert {each.urn.split("::")[2].rsplit("$", 1)[-1].split(":")[0] for each in checks} == {
        "azure-native",
        "kubernetes",
    }
    found = disagreements(checks, RULES, prod)
    titles = {each.id: each.title for each in checks}
    assert sorted((each, titles[each.check]) for each in found - listed()) == [], (
        "new: say why in policies/checkov.yaml"
    )
    assert sorted(listed() - found) == [], "no longer so: remove from policies/checkov.yaml"


def test_a_weakened_resource_is_refused_by_both(prod: Recording, python: Path, tmp_path: Path) -> None:
    weak = [
        {**each, "properties": {**each["properties"], "minimumTlsVersion": "TLS1_0"}}
        for each in prod.registered
        if each["type"] == "azure-native:storage:StorageAccount"
    ]
    checks = checked(Recording(weak, weak), tmp_path, python)
    assert [each.passed for each in checks if each.id == "CKV_AZURE_44"] == [False] * len(weak)
    assert "CKV_AZURE_44" not in {each.check for each in disagreements(checks, RULES, Recording(weak, weak))}


@pytest.mark.parametrize(
    ("field", "frameworks"), [("checkov", ["arm", "kubernetes"]), ("checkov_terraform", ["terraform"])]
)
def test_every_check_that_a_rule_is_mapped_to_exists(python: Path, field: str, frameworks: list[str]) -> None:
    asked = [str(python), "-m", "checkov.main", "--list", "--framework", *frameworks]
    said = subprocess.run(asked, capture_output=True, text=True, check=True).stdout
    known = set(re.findall(r"CKV2?_[A-Z0-9]+_\d+", said))
    named = {id_ for rule in RULES for id_ in getattr(rule, field)}
    assert len(named) > 15
    assert sorted(named - known) == []
