"""Measures how long the first deployment of the prod stack takes, against the longest chain that Azure demands.

``python -m tests.bench.deploy``, or ``make bench-deploy``. An embedded Azure with its data planes' backends and an API
server lets each creation take Azure's typical time, scaled by ``--factor``; the engine works on ``--parallel``
resources at a time. What is measured is Azure's part: from the first request's beginning to the last creation's end,
as the embedded Azure wrote it down. Kubernetes objects are applied to the API server; that they are ready, the bench
says itself, after times of their own (``cluster.py``): pods take this machine's time and not Azure's, and nothing of
Azure waits for them. The tenant that people sign in at is set up, too, as fast as Graph answers here: what waits for it
shows in the makespan, and it is in no chain. The chain is in ``chain.py``, its rules are in ``ordering.yaml``.
Exits with 1 when the deployment fails, or takes more than 1.05 times the chain.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import datetime
import json
import os
import shutil
import sqlite3
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from local.azure.entra.deployer import deployer
from local.commands.daemons import prepare
from local.commands.environment import tools
from local.commands.plan import previewed
from local.commands.rehearsal import staged
from local.commands.running import command
from local.instance import REPOSITORY, TENANT_ID, Instance
from local.plugins.values import UNKNOWN
from local.supervision import ports
from local.supervision.supervisor import Supervisor
from local.toolchain import plugins
from local.toolchain.progress import Progress
from tests.bench import chain, cluster
from tests.local.azure.conftest import RunningAzure

_STACK = "prod"
_PROMISED = 1.05
_NOT_NEEDED = {"node-agent", "kube-controller-manager", "kube-scheduler"}
_IMAGES = {"builder": "layer"}
_PROGRAM = """\
from tests.bench.copies import run
run(1)
"""


@dataclass(frozen=True)
class Creation:
    """One creation as the embedded Azure noted it. start, end: seconds since the first one's start."""

    resource: str
    start: float
    end: float


@contextlib.contextmanager
def _azure() -> Iterator[Instance]:
    """An embedded Azure of its own with its backends, and an API server without nodes; gone afterwards."""
    known = tools(Instance.load())
    with ports.claimed() as base, tempfile.TemporaryDirectory(prefix="tributary-deploy-") as folder:
        state = Path(folder)
        instance = Instance(state, base)
        instance.keep()
        shutil.copy(Instance.load().state / "tools.json", state / "tools.json")
        (state / "stand-ins.json").write_text(json.dumps(plugins.write_launchers(instance.bin, known, set())))
        supervisor = Supervisor(instance, Progress())
        try:
            supervisor.up([each for each in prepare(instance, known) if each.name not in _NOT_NEEDED])
            yield instance
        finally:
            supervisor.down()


def _program(folder: Path, instance: Instance) -> None:
    """The program with images that it makes itself, as nobody has built others for this, and the instance's tenant."""
    shutil.copy(REPOSITORY / "Pulumi.yaml", folder)
    stack = yaml.safe_load((REPOSITORY / f"Pulumi.{_STACK}.yaml").read_text())
    tenant = {"issuer": f"https://{instance.arm}/{TENANT_ID}/v2.0"}
    stack["config"] |= {
        "tributary:images": _IMAGES,
        "tributary:signIn": {
            **tenant,
            "audience": "api://people",
            "services": {**tenant, "audience": "api://services"},
        },
        "tributary:identity": {"graph": f"https://{instance.arm}"},
    }
    (folder / f"Pulumi.{_STACK}.yaml").write_text(yaml.safe_dump(stack))
    (folder / "__main__.py").write_text(_PROGRAM)


def _scale(instance: Instance, factor: float) -> None:
    running = RunningAzure(instance, deployer(instance), None)  # type: ignore[arg-type]  # the supervisor's process
    with contextlib.closing(running.client()) as client:
        client.put("/provisioning", json={"factor": factor}).raise_for_status()


def _creations(instance: Instance) -> list[Creation]:
    """What was created, from the embedded Azure's own notes, in order of its start."""
    asked = (
        "SELECT resource, started, ended FROM operations WHERE kind = 'put' AND status = 'Succeeded' ORDER BY started"
    )
    with contextlib.closing(sqlite3.connect(f"file:{instance.azure / 'azure.db'}?mode=ro", uri=True)) as database:
        rows = [(name, _seconds(start), _seconds(end)) for name, start, end in database.execute(asked)]
    return [Creation(name, start - rows[0][1], end - rows[0][1]) for name, start, end in rows]


def _seconds(at: str) -> float:
    return datetime.datetime.fromisoformat(at).timestamp()


@dataclass(frozen=True)
class Result:
    """chain, makespan: seconds of Azure's time, not scaled. path: the chain's resources, and from when to when each was
    created in those seconds. last: what ended last.

    objects: of Kubernetes, which are not in either. missing: ids that were planned and not created.
    """

    factor: float
    parallel: int
    created: int
    objects: int
    chain: float
    path: Sequence[tuple[str, float, float]]
    makespan: float
    last: str
    missing: Sequence[str]
    load: float

    @property
    def kept(self) -> bool:
        """Whether everything was created in time."""
        return self.ratio <= _PROMISED and not self.missing

    @property
    def ratio(self) -> float:
        """Makespan by chain."""
        return self.makespan / self.chain


def measure(factor: float, parallel: int) -> Result:
    """Deploy once. Raises EngineFailed."""
    with _azure() as instance, tempfile.TemporaryDirectory(prefix="tributary-bench-") as scratch:
        folder = Path(scratch)
        _program(folder, instance)
        plan = previewed(instance, _STACK, folder)
        demanded = chain.demanded(plan)
        _scale(instance, factor)
        options = ("--yes", "--skip-preview", "--suppress-progress", "--parallel", str(parallel))
        with staged(instance, _STACK, folder) as stage, cluster.answered(instance, factor):
            stage.pulumi("up", *options)
        done = _creations(instance)
    made = {each.resource.lower(): each for each in done}
    missing = [each.id for each in plan if each.id and UNKNOWN not in each.id and each.id.lower() not in made]
    objects = sum(each.token.startswith("kubernetes:") for each in plan)
    last = max(done, key=lambda each: each.end)
    return Result(
        factor,
        parallel,
        len(done),
        objects,
        demanded.seconds,
        [
            (name, made[each.lower()].start / factor, made[each.lower()].end / factor)
            for name, each in zip(demanded.names, demanded.ids, strict=True)
            if each.lower() in made
        ],
        last.end / factor,
        last.resource,
        missing,
        os.getloadavg()[0],
    )


def _as_text(result: Result) -> str:
    lines = [
        f"longest chain that Azure demands: {result.chain:.0f} s",
        *(f"  {name}: {start:.0f} to {end:.0f} s" for name, start, end in result.path),
        f"{result.created} creations and {result.objects} Kubernetes objects with --parallel {result.parallel}, "
        f"time scaled by {result.factor}: {result.makespan:.0f} s of Azure's time",
        f"  last: {result.last}",
        f"makespan / chain: {result.ratio:.3f}  at most {_PROMISED}: {'kept' if result.kept else 'MISSED'}",
        *(f"  not created: {each}" for each in result.missing),
        f"load of the machine: {result.load:.1f}",
    ]
    return "\n".join(lines)


def main() -> None:
    """Read the command line, deploy, print."""
    parser = argparse.ArgumentParser(prog="make bench-deploy", description=__doc__)
    parser.add_argument("--factor", type=float, default=0.1, help="a second of Azure's takes so many here (0.1)")
    parser.add_argument("--parallel", type=int, default=64, help="resources at a time (64)")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    result = measure(options.factor, options.parallel)
    told = json.dumps({**dataclasses.asdict(result), "ratio": result.ratio}, indent=1)
    sys.stdout.write((told if options.json else _as_text(result)) + "\n")
    if not result.kept:
        raise RuntimeError("The promise was missed.")


if __name__ == "__main__":
    command(main)
