"""Rehearsal: a stack of the program under the real engine, without anything being up or deployed.

It runs on an embedded Azure of its own, which is gone afterwards, and in an empty stack: nothing that is up is asked or
touched, and dev and prod can be looked at as well as local.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from local.azure import daemons as azure
from local.commands import engine
from local.commands.environment import tools
from local.instance import DEFAULT_PORT_BASE, REPOSITORY, Instance
from local.supervision import ports
from local.toolchain import plugins

_READY_SECONDS = 60.0


@dataclass(frozen=True)
class Stage:
    """An empty stack of the program in a folder. file: its configuration. backend: where its state would be kept."""

    instance: Instance
    stack: str
    folder: Path
    file: Path
    backend: Path

    @property
    def variables(self) -> dict[str, str]:
        """What the engine's environment has beside the instance's."""
        return {"PULUMI_BACKEND_URL": f"file://{self.backend}"}

    @property
    def arguments(self) -> tuple[str, ...]:
        """How the stack is named to the engine."""
        return ("--stack", self.stack, "--config-file", str(self.file))

    def pulumi(self, command: str, *arguments: str, variables: Mapping[str, str] | None = None) -> str:
        """What the engine prints. variables: for this command alone. Raises engine.EngineFailed."""
        extra = {**self.variables, **(variables or {})}
        return engine.pulumi(self.instance, command, *arguments, *self.arguments, folder=self.folder, extra=extra)


@contextlib.contextmanager
def rehearsal(stack: str, folder: Path = REPOSITORY) -> Iterator[Stage]:
    """An empty stack on an embedded Azure of its own. Raises ValueError for a stack without configuration."""
    with azure_alone() as instance, staged(instance, stack, folder) as stage:
        yield stage


@contextlib.contextmanager
def staged(instance: Instance, stack: str, folder: Path) -> Iterator[Stage]:
    """The same, on an embedded Azure that runs already."""
    source = folder / f"Pulumi.{stack}.yaml"
    if not source.exists():
        known = sorted(each.name.split(".")[1] for each in folder.glob("Pulumi.*.yaml"))
        raise ValueError(f"There is no stack {stack!r}: {source} is missing. There are {', '.join(known)}.")
    with tempfile.TemporaryDirectory(prefix="tributary-plan-") as scratch:
        project = Path(scratch)
        (project / "Pulumi.yaml").write_text(f"name: {engine.project_name(folder)}\nruntime: python\n")
        file = project / source.name
        file.write_text(yaml.safe_dump({"config": _config(instance, source)}))
        backend = project / "backend"
        backend.mkdir()
        stage = Stage(instance, stack, folder, file, backend)
        engine.pulumi(instance, "stack", "init", stack, folder=project, extra=stage.variables)
        yield stage


def _config(instance: Instance, source: Path) -> dict[str, Any]:
    """A stack's configuration for this instance. Encrypted values, whose key is elsewhere, become a word."""
    text = source.read_text().replace(f"127.0.0.1:{DEFAULT_PORT_BASE + 1}", instance.arm)
    given = yaml.safe_load(text)["config"]
    plain = {key: "secret" if isinstance(value, dict) and "secure" in value else value for key, value in given.items()}
    return plain | {
        "azure-native:metadataHost": instance.arm,
        "azure-native:disableInstanceDiscovery": "true",
    }


@contextlib.contextmanager
def azure_alone() -> Iterator[Instance]:
    """An embedded Azure's ARM endpoint in a folder that is removed afterwards, with our stand-ins for the engine."""
    known = tools(Instance.load())
    with ports.claimed() as base, tempfile.TemporaryDirectory(prefix="tributary-azure-") as folder:
        state = Path(folder)
        instance = Instance(state, base)
        instance.keep()
        shutil.copy(Instance.load().state / "tools.json", state / "tools.json")
        stand_ins = plugins.write_launchers(instance.bin, known, set())
        (state / "stand-ins.json").write_text(json.dumps(stand_ins))
        azure.prepare(instance, known)
        daemon = next(each for each in azure.daemons(instance, known) if each.name == "azure")
        log = state / "azure.log"
        with log.open("wb") as file:
            process = subprocess.Popen(daemon.argv, cwd=daemon.folder, stdout=file, stderr=file)
        try:
            _await(instance, process, log)
            yield instance
        finally:
            process.terminate()
            process.wait(_READY_SECONDS)


def _await(instance: Instance, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _READY_SECONDS
    while not azure.ready(instance):
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"The embedded Azure did not start:\n{log.read_text()[-4000:]}")
        time.sleep(0.1)
