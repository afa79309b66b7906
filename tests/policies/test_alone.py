"""The pack alone: copied to another place under another name, with nothing but its own requirements."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from importlib.metadata import distribution
from pathlib import Path

import pytest

from local.instance import REPOSITORY
from local.toolchain import packages
from local.toolchain.errors import ToolchainError
from policies import pack
from tests.local.plugins.engine import Program

FOLDER = REPOSITORY / "policies"
PINS = re.findall(r"^[a-z-]+==\S+$", (FOLDER / "requirements.txt").read_text(), re.MULTILINE)
# PolicyPack blocks: what it would serve is told instead, with every module that came from nowhere it may come from.
SERVED = """
import json, runpy, sys, sysconfig
from pathlib import Path
import pulumi_policy
allowed = [Path(each).resolve() for each in (sys.argv[1], *sysconfig.get_paths().values())]
def serve(name, policies):
    files = [Path(each.__file__).resolve() for each in list(sys.modules.values()) if getattr(each, "__file__", None)]
    strange = [str(each) for each in files if not any(each.is_relative_to(one) for one in allowed)]
    print(json.dumps({"name": name, "policies": [each.name for each in policies], "strange": strange}))
pulumi_policy.PolicyPack = serve
runpy.run_path(sys.argv[1], run_name="__main__")
"""
# A component is shown to packs as any resource is, and needs no provider.
PROGRAM = """
import pulumi

properties = {"minimumTlsVersion": "TLS1_0", "location": "westeurope"}
pulumi.ComponentResource("azure-native:storage:StorageAccount", "files", properties)
"""


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """The folder, elsewhere and under another name."""
    return shutil.copytree(FOLDER, tmp_path / "rules-1.0", ignore=shutil.ignore_patterns("__pycache__"))


def test_its_requirements_are_what_the_program_has() -> None:
    for pin in PINS:
        name, version = pin.split("==")
        assert distribution(name).version == version, f"policies/requirements.txt pins {pin}"


def test_it_loads_wherever_it_lies_and_looks_at_nothing_beside_it(copied: Path) -> None:
    (copied.parent / "policies").mkdir()  # another's package of the same name
    (copied.parent / "policies" / "__init__.py").write_text("raise RuntimeError('not this one')\n")
    told = subprocess.run(
        [sys.executable, "-I", "-c", SERVED, str(copied)],
        cwd=copied.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    assert told.returncode == 0, told.stderr
    served = json.loads(told.stdout)
    assert served["policies"] == [*(each.id for each in pack.load()), pack.WAIVERS]
    assert served["strange"] == []


@pytest.mark.full
def test_the_engine_loads_it_in_an_environment_of_its_requirements(
    copied: Path, tmp_path: Path, program: Program
) -> None:
    try:
        python = packages.apart("pack", PINS)
    except ToolchainError as error:
        pytest.skip(str(error))
    # The stand-in's path is told to the language host alone: an environment variable would reach the pack, too.
    host = f"import sys; sys.path.insert(0, {str(REPOSITORY)!r}); from local.plugins.language_host import main; main()"
    (program.bin / "pulumi-language-python").write_text(f'#!/bin/sh\nexec "{python}" -u -c "{host}" "$@"\n')
    lacking = subprocess.run([python, "-c", "import pulumi_azure_native"], capture_output=True, check=False)
    assert lacking.returncode, "the environment holds more than the pack's requirements"
    program.write(PROGRAM)
    named = ("--policy-pack", str(copied))
    said = program.run("preview", *named, fails=True)
    assert "TRB-ST-002" in said, said
    assert "TRB-ST-002" in program.run("up", "--yes", "--skip-preview", *named, fails=True)
    program.up()
    assert "TRB-ST-002" in program.run("policy", "analyze", *named, fails=True)
    advisory = tmp_path / "advisory.json"
    advisory.write_text('{"all": "advisory"}')
    program.run("policy", "analyze", *named, "--policy-pack-config", str(advisory))
