"""The real Pulumi engine on small programs, with the stand-ins on its PATH."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from local.instance import REPOSITORY
from tests import programs

_LAUNCHERS = {
    "pulumi-language-python": "-m local.plugins.language_host",
    "pulumi-resource-azure-native": "-m local.plugins.azure_native",
    "pulumi-resource-kubernetes": "-m local.plugins.kubernetes",
}


def pulumi() -> str:
    """The engine's program."""
    return programs.needed("pulumi")["pulumi"]


def launcher(folder: Path, name: str, arguments: str) -> None:
    """A program on PATH that runs Python with our packages."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(f'#!/bin/sh\nPYTHONPATH="{REPOSITORY}" exec "{sys.executable}" {arguments} "$@"\n')
    path.chmod(0o755)


def prepare(folder: Path) -> None:
    """An empty stack, to be copied: making one costs a second."""
    (folder / "backend").mkdir(parents=True)
    (folder / "Pulumi.yaml").write_text("name: program\nruntime: python\n")
    Program(folder, {}).run("stack", "init")


class Program:
    """A Pulumi program in a folder that ``prepare`` made, with one stack."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self.folder, self.stack = folder, "test"
        self._pulumi = pulumi()
        self.bin = folder / "bin"
        for name, arguments in _LAUNCHERS.items():
            launcher(self.bin, name, arguments)
        self.environment = {
            **{key: os.environ[key] for key in ("HOME", "LANG") if key in os.environ},
            **environment,
            "PATH": os.pathsep.join([str(self.bin), str(Path(self._pulumi).parent), os.environ["PATH"]]),
            "PULUMI_BACKEND_URL": f"file://{folder / 'backend'}",
            "PULUMI_CONFIG_PASSPHRASE": "only for this test",
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
            "PULUMI_HOME": str(folder / "home"),
            "PULUMI_SKIP_UPDATE_CHECK": "true",
        }

    def write(self, text: str) -> None:
        """The program's text."""
        (self.folder / "__main__.py").write_text(text)

    def run(self, *arguments: str, fails: bool = False, **environment: str) -> str:
        """What the engine says. fails: whether it must fail; otherwise it must not."""
        done = subprocess.run(
            [self._pulumi, *arguments, "--stack", self.stack, "--non-interactive"],
            cwd=self.folder,
            env=self.environment | environment,
            capture_output=True,
            text=True,
            timeout=90,
            check=False,
        )
        said = done.stdout + done.stderr
        assert (done.returncode != 0) == fails, said
        return said

    def up(self, *arguments: str, fails: bool = False, **environment: str) -> str:
        return self.run("up", "--yes", "--skip-preview", *arguments, fails=fails, **environment)

    def destroy(self) -> None:
        self.run("destroy", "--yes", "--skip-preview")

    def state(self) -> dict[str, Any]:
        """The deployment as it is kept: secrets encrypted."""
        path = self.folder / "backend" / ".pulumi" / "stacks" / "program" / f"{self.stack}.json"
        return json.loads(path.read_text())["checkpoint"]["latest"] or {}

    def resources(self) -> dict[str, dict[str, Any]]:
        """Custom resources of the state that are no providers, by name."""
        found = [each for each in self.state().get("resources") or [] if each.get("custom")]
        return {each["urn"].rsplit("::", 1)[1]: each for each in found if not each["type"].startswith("pulumi:")}

    def outputs(self) -> dict[str, Any]:
        """The stack's outputs, as they are kept."""
        return next(each for each in self.state()["resources"] if each["type"] == "pulumi:pulumi:Stack")["outputs"]
