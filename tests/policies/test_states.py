"""Evidence of what is deployed: of a stack's state and of an exported one; a file that is none is said so."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from local.commands.evidence import RECORDER, of_file
from local.commands.states import exported
from policies.assessment import assess
from policies.levels import Levels
from policies.pack import load
from policies.recording import VARIABLE, Recording, RecordingError, read
from tests.local.plugins.engine import Program
from tests.policies.test_engine import PACK
from tests.policies.test_evidence import NOW

PROGRAM = """
import pulumi
from pulumi_azure_native import resources, storage

group = resources.ResourceGroup("g", resource_group_name="rg-evidence", location="westeurope")
storage.StorageAccount(
    "files", resource_group_name=group.name, account_name="stevidence", location="westeurope", kind="StorageV2",
    sku={"name": "Standard_LRS"}, minimum_tls_version="TLS1_0", tags={"pin": pulumi.Output.secret("hunter2")},
)
"""


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("resources: []\n", 1, "A state is JSON"),
        ('{\n"version": 3,', 2, "A state is JSON"),
        ("[]", 1, "no state"),
        ('{"version": 3}', 1, "no version and deployment"),
        ('{"version": 3, "deployment": {"resources": [{"urn": "x"}]}}', 1, "has no URN"),
    ],
)
def test_a_file_that_is_no_state_is_one_error_with_file_and_line(
    tmp_path: Path, text: str, line: int, says: str
) -> None:
    file = tmp_path / "state.json"
    file.write_text(text)
    with pytest.raises(ValueError, match=says) as error:
        exported(file)
    assert str(error.value).startswith(f"{file}:{line}: ")
    assert "pulumi stack export" in str(error.value)


def test_a_file_that_is_gone_or_no_text_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"nowhere\.json:1: can't be read"):
        exported(tmp_path / "nowhere.json")
    (tmp_path / "binary.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ValueError, match=r"binary\.json:1: is no text"):
        exported(tmp_path / "binary.json")


def test_a_recording_that_is_none_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match="ended before it had shown the whole stack"):
        read(tmp_path / "nowhere.json")
    (tmp_path / "other.json").write_text(json.dumps({"registered": []}))
    with pytest.raises(RecordingError, match="is no recording"):
        read(tmp_path / "other.json")


def record(program: Program, path: Path, *asked: str) -> None:
    program.environment[VARIABLE] = str(path)
    program.run(*asked, "--policy-pack", str(RECORDER))


def _failed(recording: Recording) -> set[str]:
    assessment = assess(load(), recording, Levels({}), [], NOW.date())
    return {each.rule.id for each in assessment.verdicts if each.status == "failed"}


@pytest.mark.full
def test_a_preview_a_state_and_its_export_are_judged_alike(
    program: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = {name: tmp_path / f"{name}.json" for name in ("preview", "state", "export", "recorded")}
    program.write(PROGRAM)
    record(program, path["preview"], "preview")
    program.up()
    record(program, path["state"], "policy", "analyze")
    program.run("stack", "export", "--file", str(path["export"]))
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", program.environment["PULUMI_CONFIG_PASSPHRASE"])
    stack, source = of_file(path["export"], path["recorded"])
    assert (stack, source) == ("test", "the state in export.json, of stack test")
    found = {name: _failed(read(path[name])) for name in ("preview", "state", "recorded")}
    assert "TRB-ST-002" in found["preview"]
    assert found["state"] == found["recorded"] == found["preview"]
    assert oct(path["state"].stat().st_mode)[-3:] == "600"


@pytest.mark.full
def test_the_pack_judges_a_state_without_its_program(program: Program) -> None:
    program.write(PROGRAM.replace("evidence", "analyzed"))
    program.up()
    program.write("raise RuntimeError('a program is not run for this')")
    said = program.run("policy", "analyze", "--policy-pack", PACK[1], fails=True)
    assert "TRB-ST-002" in said, said
    assert "TLS1_0" not in said
    assert "hunter2" not in said


@pytest.mark.full
def test_an_empty_stack_can_be_judged(program: Program, tmp_path: Path) -> None:
    path = tmp_path / "recording.json"
    record(program, path, "policy", "analyze")
    assert not path.exists() or _failed(read(path)) == set()
