"""A stack's plan: what the program would deploy, from a preview through the real engine.

The preview runs on an embedded Azure of its own, which is gone afterwards, and in an empty stack: nothing needs to be
up, nothing that is up is asked or touched, and dev and prod are planned as well as local.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from local.azure import daemons as azure
from local.commands import engine
from local.commands.environment import tools
from local.instance import DEFAULT_PORT_BASE, REPOSITORY, Instance
from local.plugins.azure_native.provider import FORETELL
from local.plugins.values import ENGINE_UNKNOWN, SIGNATURE, UNKNOWN
from local.supervision import ports
from local.toolchain import plugins

_HIDDEN = {"[secret]", ENGINE_UNKNOWN}
"""What the engine shows for a secret, and for what is known only after deployment."""
_READY_SECONDS = 60.0


@dataclass(frozen=True)
class Planned:
    """One resource. token: its type to Pulumi.

    inputs: as the engine gives them to the provider, "<unknown>" for secrets and for what is known only after
    deployment. uses: by property, URNs of the resources its value comes from.
    """

    urn: str
    token: str
    inputs: Mapping[str, Any]
    uses: Mapping[str, list[str]]

    @property
    def name(self) -> str:
        """Its name to Pulumi."""
        return self.urn.rsplit("::", 1)[1]


def plan(stack: str, folder: Path = REPOSITORY) -> list[Planned]:
    """What a stack of the program in a folder consists of. Raises EngineFailed, or ValueError for an unknown stack."""
    with azure_alone() as instance:
        return previewed(instance, stack, folder)


def previewed(instance: Instance, stack: str, folder: Path) -> list[Planned]:
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
        variables = {"PULUMI_BACKEND_URL": f"file://{backend}", FORETELL: "1"}
        engine.pulumi(instance, "stack", "init", stack, folder=project, extra=variables)
        arguments = ("preview", "--json", "--stack", stack, "--config-file", str(file))
        said = engine.pulumi(instance, *arguments, folder=folder, extra=variables)
    return planned([each["newState"] for each in json.loads(said[said.index("{") :])["steps"] if "newState" in each])


def planned(states: Iterable[Mapping[str, Any]]) -> list[Planned]:
    """Resources as the engine writes them down, in a preview's steps or in a stack's state."""
    return [
        Planned(each["urn"], each["type"], _hidden(each.get("inputs") or {}), each.get("propertyDependencies") or {})
        for each in states
    ]


def _config(instance: Instance, source: Path) -> dict[str, Any]:
    """A stack's configuration for this instance. Encrypted values, whose key is elsewhere, become a word."""
    text = source.read_text().replace(f"127.0.0.1:{DEFAULT_PORT_BASE + 1}", instance.arm)
    given = yaml.safe_load(text)["config"]
    plain = {key: "secret" if isinstance(value, dict) and "secure" in value else value for key, value in given.items()}
    return plain | {
        "azure-native:metadataHost": instance.arm,
        "azure-native:disableInstanceDiscovery": "true",
    }


def _hidden(value: Any) -> Any:
    match value:
        case dict() if SIGNATURE in value:
            return UNKNOWN
        case dict():
            return {key: _hidden(each) for key, each in value.items()}
        case list():
            return [_hidden(each) for each in value]
    return UNKNOWN if isinstance(value, str) and value in _HIDDEN else value


@contextlib.contextmanager
def azure_alone() -> Iterator[Instance]:
    """An embedded Azure's ARM endpoint in a folder that is removed afterwards, with our stand-ins for the engine."""
    known = tools(Instance.load())
    state = Path(tempfile.mkdtemp(prefix="tributary-azure-"))
    try:
        instance = Instance(state, ports.free_hundred())
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
    finally:
        shutil.rmtree(state, ignore_errors=True)


def _await(instance: Instance, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _READY_SECONDS
    while not azure.ready(instance):
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"The embedded Azure did not start:\n{log.read_text()[-4000:]}")
        time.sleep(0.1)
