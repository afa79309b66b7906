"""The program under the real engine: a copy that nobody edits meanwhile, on an embedded Azure of its own."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import yaml

from local.commands import engine
from local.instance import DEFAULT_PORT_BASE, REPOSITORY, Instance
from tests.azure_contents import contents

_PROGRAM = ("__main__.py", "Pulumi.yaml", "constraints.txt", "stacks", "components", "workloads")
_AT_THE_END = {"PULUMI_SKIP_CHECKPOINTS": "true"}
"""The state is written when a command ends, not after each of a thousand steps, which takes a third of its time. What
is lost when an engine is killed has tests of its own, which use the commands as they are."""
_CHANGED = re.compile(
    r"^ +(?:[-+~]+|\+-) *(\d+) (?:to )?(create|created|update|updated|delete|deleted|replace|replaced)"
)


class Deployment:
    """Stacks of one instance. folder: of the program's copy."""

    def __init__(self, instance: Instance, folder: Path) -> None:
        self.instance, self.folder = instance, folder
        for name in _PROGRAM:
            source = REPOSITORY / name
            if source.is_dir():
                shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(source, folder / name)

    def configure(self, stack: str, preset: str, **changes: Any) -> None:
        """A stack with the file of a preset, at the embedded Azure. changes: settings by name, instead of the file's.

        A vault-backed provider of secrets opens its key at once, so the copy goes without.
        """
        kept = yaml.safe_load((REPOSITORY / f"Pulumi.{preset}.yaml").read_text())["config"]
        kept = yaml.safe_load(yaml.safe_dump(kept).replace(f"127.0.0.1:{DEFAULT_PORT_BASE + 1}", self.instance.arm))
        kept["azure-native:metadataHost"] = self.instance.arm
        kept["azure-native:disableInstanceDiscovery"] = "true"
        kept |= {f"tributary:{name}": value for name, value in changes.items()}
        file = self.folder / f"Pulumi.{stack}.yaml"
        salt = yaml.safe_load(file.read_text()).get("encryptionsalt") if file.exists() else None
        file.write_text(yaml.safe_dump({"config": kept, **({"encryptionsalt": salt} if salt else {})}))
        if salt is None:
            engine.pulumi(self.instance, "stack", "init", stack, folder=self.folder)

    def run(self, command: str, stack: str, *options: str) -> str:
        """What the engine prints. Raises EngineFailed."""
        asked = () if command == "preview" else ("--yes", "--skip-preview")
        arguments = (command, *asked, *options, "--stack", stack, "--suppress-progress")
        try:
            return engine.pulumi(self.instance, *arguments, folder=self.folder, extra=_AT_THE_END)
        except engine.EngineFailed as error:
            error.add_note(error.output[-6000:])
            raise

    def outputs(self, stack: str) -> dict[str, Any]:
        """The stack's outputs, secrets hidden."""
        return json.loads(
            engine.pulumi(self.instance, "stack", "output", "--json", "--stack", stack, folder=self.folder)
        )

    def state(self, stack: str) -> list[dict[str, Any]]:
        """The resources in the stack's state."""
        said = engine.pulumi(self.instance, "stack", "export", "--stack", stack, folder=self.folder)
        return json.loads(said)["deployment"].get("resources") or []

    def in_azure(self) -> dict[str, list[str]]:
        """What Azure knows: resources, groups, assignments of roles, deleted vaults, by their ids."""
        return contents(self.instance)


def changes(said: str) -> list[str]:
    """The engine's count of what was or would be changed: empty when nothing."""
    return [line.strip() for line in said.splitlines() if _CHANGED.match(line)]
