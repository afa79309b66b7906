"""The pipelines are well-formed, hold no secret, and tell a pull request what a preview said."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from local.instance import REPOSITORY

GITHUB = REPOSITORY / ".github" / "workflows" / "ci.yml"
AZURE = REPOSITORY / "pipelines" / "azure-pipelines.yml"
STACKS = ("dev", "prod")


@pytest.mark.parametrize(
    ("file", "options"),
    [
        (GITHUB, ["--builtin-schema", "vendor.github-workflows"]),
        (
            AZURE,
            [
                "--builtin-schema",
                "vendor.azure-pipelines",
                "--regex-variant",
                "nonunicode",
                "--data-transform",
                "azure-pipelines",
            ],
        ),
    ],
    ids=["github", "azure"],
)
def test_the_published_schemas_accept_the_pipelines(file: Path, options: list[str]) -> None:
    command = [sys.executable, "-m", "check_jsonschema", *options, str(file)]
    judged = subprocess.run(command, capture_output=True, text=True, check=False)
    assert judged.returncode == 0, judged.stdout + judged.stderr


def test_only_a_preview_of_our_own_code_gets_a_token() -> None:
    workflow = yaml.safe_load(GITHUB.read_text())
    assert workflow["permissions"] == {"contents": "read"}
    assert "permissions" not in workflow["jobs"]["test"]
    preview = workflow["jobs"]["preview"]
    assert preview["permissions"]["id-token"] == "write"
    assert "head.repo.full_name == github.repository" in preview["if"]
    assert preview["environment"] == "${{ matrix.stack }}"
    assert tuple(preview["strategy"]["matrix"]["stack"]) == STACKS


def test_one_run_at_a_time_works_on_a_stack_and_none_is_cut_off() -> None:
    preview = yaml.safe_load(GITHUB.read_text())["jobs"]["preview"]
    assert preview["concurrency"] == {"group": "stack-${{ matrix.stack }}", "cancel-in-progress": False}
    azure = yaml.safe_load(AZURE.read_text())
    assert azure["lockBehavior"] == "sequential"


def test_no_pipeline_holds_a_secret() -> None:
    for file in (GITHUB, AZURE):
        assert not re.search(r"secrets\.|client_secret|password|PULUMI_ACCESS_TOKEN|PASSPHRASE", file.read_text(), re.I)


def test_actions_are_pinned_to_a_commit() -> None:
    for used in re.findall(r"uses: (\S+)", GITHUB.read_text()):
        assert re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", used), used


def test_every_stack_of_the_pipelines_has_its_files() -> None:
    for stack in STACKS:
        assert (REPOSITORY / f"Pulumi.{stack}.yaml").exists()
        assert (REPOSITORY / "policies" / "config" / f"{stack}.json").exists()


def stand_in(folder: Path, name: str, script: str) -> dict[str, str]:
    """A program on PATH that a script of ours calls."""
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\n{script}\n")
    (folder / name).chmod(0o755)
    home = {"PULUMI_HOME": str(folder / "pulumi-home")}
    return {**os.environ, **home, "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"}


@pytest.mark.parametrize(("code", "headline"), [(0, "### Preview of `dev`"), (3, "### Preview of `dev` failed")])
def test_a_preview_writes_what_it_said_and_ends_as_it_did(tmp_path: Path, code: int, headline: str) -> None:
    stand_in(tmp_path / "bin", "python", "exit 0")
    environment = stand_in(tmp_path / "bin", "pulumi", f'echo "$@"; yes change | head -c 200000; exit {code}')
    script = REPOSITORY / "pipelines" / "preview.sh"
    done = subprocess.run(
        [script, "dev", "preview.md"], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == code
    assert done.stdout.startswith("preview --stack dev")
    assert "--policy-pack policies --policy-pack-config policies/config/dev.json" in done.stdout
    written = (tmp_path / "preview.md").read_text()
    assert written.splitlines()[:2] == ["<!-- preview dev -->", headline]
    assert len(written) < 65536
    assert written.count("```") == 2
    assert (tmp_path / "bin" / "pulumi-home" / "logs").is_file()  # the engine can't make its log's folder


def test_a_malformed_config_is_told_with_its_line_and_nothing_is_previewed(tmp_path: Path) -> None:
    stand_in(tmp_path / "bin", "python", 'echo "$3:2: there is no rule"; exit 1')
    environment = stand_in(tmp_path / "bin", "pulumi", f'echo "$@" >> "{tmp_path / "asked"}"')
    script = REPOSITORY / "pipelines" / "preview.sh"
    done = subprocess.run(
        [script, "dev", "preview.md"], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (1, "policies/config/dev.json:2: there is no rule\n")
    assert "preview" not in (tmp_path / "asked").read_text().split()
    assert "there is no rule" in (tmp_path / "preview.md").read_text()


@pytest.mark.parametrize(("before", "wanted"), [("", ["POST", "issues/7/comments"]), ("42", ["PATCH", "comments/42"])])
def test_a_preview_takes_the_place_of_the_one_before(tmp_path: Path, before: str, wanted: list[str]) -> None:
    log = tmp_path / "log"
    lists = f'case "$*" in *--paginate*) echo "{before}";; *) printf "%s\\n" "$*" >> "{log}";; esac'
    environment = stand_in(tmp_path / "bin", "gh", lists) | {"GITHUB_REPOSITORY": "org/repo"}
    (tmp_path / "preview.md").write_text("<!-- preview dev -->\n### Preview\n")
    script = REPOSITORY / "pipelines" / "comment-github.sh"
    subprocess.run([script, "7", "preview.md"], cwd=tmp_path, env=environment, check=True)
    (asked,) = log.read_text().splitlines()
    assert all(each in asked for each in wanted)
    assert "body=@preview.md" in asked


def test_the_shell_of_the_pipelines_parses() -> None:
    scripts: list[str] = [each.read_text() for each in (REPOSITORY / "pipelines").glob("*.sh")]
    scripts += _texts(yaml.safe_load(GITHUB.read_text()), "run")
    scripts += [
        re.sub(r"\$\{\{.*?\}\}|\$\(\w[\w.]*\)", "x", each) for each in _texts(_azure(), "script", "inlineScript")
    ]
    assert len(scripts) > 8
    for each in scripts:
        done = subprocess.run(["/bin/sh", "-n"], input=each, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{each}\n{done.stderr}"


def _azure() -> Any:
    return json.loads(json.dumps(yaml.safe_load(AZURE.read_text())))


def _texts(value: Any, *names: str) -> list[str]:
    if isinstance(value, dict):
        own = [each for name, each in value.items() if name in names and isinstance(each, str)]
        return own + [each for inner in value.values() for each in _texts(inner, *names)]
    if isinstance(value, list):
        return [each for inner in value for each in _texts(inner, *names)]
    return []
