"""A Pulumi program of its own under the real engine, beside the platform's, on the same embedded Azure."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml

from local.commands import engine
from local.instance import Instance


class Program:
    """One stack of a program. folder: where its Pulumi.yaml and __main__.py lie."""

    def __init__(self, instance: Instance, folder: Path, stack: str = "test") -> None:
        self._instance, self._folder, self._stack = instance, folder, stack

    def init(self, config: dict[str, Any]) -> None:
        """Makes the stack. config: by full key, the embedded Azure's apart."""
        engine.pulumi(self._instance, "stack", "init", self._stack, folder=self._folder)
        file = self._folder / f"Pulumi.{self._stack}.yaml"
        kept = yaml.safe_load(file.read_text()) if file.exists() else {}
        azure = {
            "azure-native:metadataHost": self._instance.arm,
            "azure-native:disableInstanceDiscovery": "true",
        }
        file.write_text(yaml.safe_dump({**kept, "config": azure | config}))

    def run(self, command: str, *options: str) -> str:
        """What the engine prints. Raises EngineFailed with its output as a note."""
        asked = () if command == "preview" else ("--yes", "--skip-preview")
        arguments = (command, *asked, *options, "--stack", self._stack, "--suppress-progress")
        try:
            return engine.pulumi(self._instance, *arguments, folder=self._folder)
        except engine.EngineFailed as error:
            error.add_note(error.output[-6000:])
            raise

    def state(self) -> list[dict[str, Any]]:
        """The resources in the stack's state."""
        said = engine.pulumi(self._instance, "stack", "export", "--stack", self._stack, folder=self._folder)
        return json.loads(said)["deployment"].get("resources") or []

    def outputs(self) -> dict[str, Any]:
        """The stack's outputs."""
        said = engine.pulumi(self._instance, "stack", "output", "--json", "--stack", self._stack, folder=self._folder)
        return json.loads(said)
