"""Rehearsal: previews a stack on an embedded Azure of its own that lives as long as the command; nothing is deployed.

So dev and prod can be looked at before there is a subscription. Of the embedded Azure only Resource Manager runs: a
preview asks nothing else.
"""

from __future__ import annotations

import dataclasses
import json
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import yaml

from local.azure import daemons as azure
from local.commands import engine
from local.commands.environment import tools
from local.instance import DEFAULT_PORT_BASE, REPOSITORY, Instance
from local.supervision.claims import claim
from local.supervision.supervisor import Supervisor
from local.toolchain import plugins
from local.toolchain.cache import write
from local.toolchain.progress import Progress


@dataclasses.dataclass(frozen=True)
class Rehearsal:
    """A stack that can be previewed. config: its configuration, pointed at the embedded Azure."""

    instance: Instance
    stack: str
    config: Path

    def preview(self, *arguments: str, folder: Path = REPOSITORY, variables: Mapping[str, str] | None = None) -> str:
        """What the engine prints. variables: beside the instance's. Raises engine.EngineFailed."""
        named = ("--stack", self.stack, "--config-file", str(self.config), "--suppress-progress")
        return engine.pulumi(self.instance, "preview", *named, *arguments, folder=folder, extra=dict(variables or {}))


@contextmanager
def rehearsal(stack: str, progress: Progress, source: Path | None = None) -> Iterator[Rehearsal]:
    """A stack of the repository's program, ready to be previewed.

    source: the stack's configuration, else Pulumi.<stack>.yaml. Raises ValueError when there is none, NotRunning when
    the toolchain has not run.
    """
    kept = source or REPOSITORY / f"Pulumi.{stack}.yaml"
    if not kept.exists():
        known = ", ".join(sorted(each.stem.removeprefix("Pulumi.") for each in REPOSITORY.glob("Pulumi.*.yaml")))
        raise ValueError(f"There is no {kept.name}. Stacks with a configuration are {known}.")
    known_tools = tools(Instance.load())
    base, held = claim()
    state = Path(tempfile.mkdtemp(prefix="tributary-"))
    instance = Instance(state, base)
    try:
        instance.keep()
        write(state / "tools.json", json.dumps(known_tools))
        write(state / "stand-ins.json", json.dumps(plugins.write_launchers(instance.bin, known_tools, set())))
        azure.prepare(instance, known_tools)
        manager = next(each for each in azure.daemons(instance, known_tools) if each.name == "azure")
        Supervisor(instance, progress).up([dataclasses.replace(manager, after=())])
        yield Rehearsal(instance, stack, _configured(instance, stack, kept))
    finally:
        engine.end_left_behind(instance)
        Supervisor(instance, progress).down()
        held.close()
        shutil.rmtree(state, ignore_errors=True)


def _configured(instance: Instance, stack: str, source: Path) -> Path:
    """The configuration at this embedded Azure, and an empty stack that it belongs to.

    A key in a vault would be asked for as soon as the stack is opened, so the copy goes without.
    """
    config = yaml.safe_load(source.read_text().replace(f"127.0.0.1:{DEFAULT_PORT_BASE + 1}", instance.arm))["config"]
    config |= {"azure-native:metadataHost": instance.arm, "azure-native:disableInstanceDiscovery": "true"}
    scratch = instance.state / "project"
    scratch.mkdir()
    (scratch / "Pulumi.yaml").write_text(f"name: {engine.project_name(REPOSITORY)}\nruntime: python\n")
    file = scratch / f"Pulumi.{stack}.yaml"
    file.write_text(yaml.safe_dump({"config": config}))
    engine.pulumi(instance, "stack", "init", stack, folder=scratch)
    return file
