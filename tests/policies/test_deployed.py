"""What is deployed: read from an exported state, put beside what a preview would make of it; a file that is none."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from policies.constraints.conditions import UNKNOWN
from policies.deployed import VARIABLE, Deployed, DeployedError, read
from policies.judging import judge
from policies.pack import load
from tests.local.plugins.engine import Program
from tests.policies.proxies import of_rule, secret
from tests.policies.test_engine import PACK, PROD

FIXED = next(each for each in load() if each.id == "TRB-AZURE-077")
ACCOUNT = """
from pulumi_azure_native import resources, storage

group = resources.ResourceGroup("g", resource_group_name="rg-deployed", location="westeurope")
storage.StorageAccount(
    "files", resource_group_name=group.name, account_name="stdeployed", location="westeurope", kind="StorageV2",
    sku={"name": "Standard_ZRS"}, encryption={"require_infrastructure_encryption": True},
)
"""


def test_inputs_are_read_by_urn_and_secrets_are_not_known(tmp_path: Path) -> None:
    file = tmp_path / "state.json"
    resources = [{"urn": "a", "inputs": {"x": [1, {"y": secret("z")}]}}, {"urn": "b"}]
    file.write_text(json.dumps({"version": 3, "deployment": {"resources": resources}}))
    assert read(file).inputs == {"a": {"x": [1, {"y": UNKNOWN}]}, "b": {}}
    file.write_text(json.dumps({"version": 3, "deployment": {}}))
    assert read(file).inputs == {}


def test_a_resource_is_new_where_its_stack_was_exported_and_not_known_elsewhere() -> None:
    account = "urn:pulumi:prod::tributary::azure-native:storage:StorageAccount::"
    kept = Deployed({f"{account}a": {"x": 1}})
    assert kept.of(f"{account}a") == {"x": 1}
    assert kept.of(f"{account}b") == {}
    assert kept.of(f"{account}a".replace("prod", "dev")) is None
    assert Deployed({}).of(f"{account}a") == {}  # nothing is deployed yet


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("resources: []\n", 1, "A state is JSON"),
        ('{\n"version": 3,', 2, "A state is JSON"),
        ("[]", 1, "no state"),
        ('{"version": 3}', 1, "no state"),
        ('{"deployment": {"resources": [7]}}', 1, "no state"),
    ],
)
def test_a_file_that_is_no_state_is_one_error_with_file_and_line(
    tmp_path: Path, text: str, line: int, says: str
) -> None:
    file = tmp_path / "state.json"
    file.write_text(text)
    with pytest.raises(DeployedError, match=says) as error:
        read(file)
    assert str(error.value).startswith(f"{file}:{line}: ")
    assert "pulumi stack export" in str(error.value)


def test_what_is_new_may_be_anything_and_what_is_not_known_is_not_judged() -> None:
    changed = of_rule(FIXED, {"encryption": {"requireInfrastructureEncryption": False}})
    assert judge(FIXED, changed).status == "failed"
    assert judge(FIXED, dataclasses.replace(changed, deployed={})).status == "passed"
    unknown = judge(FIXED, dataclasses.replace(changed, deployed=None))
    assert (unknown.status, VARIABLE in unknown.reason) == ("not evaluated", True)


@pytest.mark.full
def test_the_engine_stops_a_change_that_azure_would_refuse(program: Program, tmp_path: Path) -> None:
    program.write(ACCOUNT)
    program.up()
    before = tmp_path / "before.json"
    program.run("stack", "export", "--file", str(before))
    program.write(ACCOUNT.replace("True", "False"))
    told = {VARIABLE: str(before)}
    violation = f"{FIXED.id} {FIXED.title}"  # the embedded Azure's dry run has a colon between them
    assert violation in program.run("preview", *PACK, PROD, fails=True, **told)
    assert violation not in program.run("preview", *PACK, PROD, fails=True)
    before.write_text("[]")
    said = program.run("preview", *PACK, PROD, fails=True, **told)
    assert f"{before}:1: is JSON, but no state" in said
    assert "Traceback" not in said
