"""``make verify-azure STACK=…``: deploys a stack to Azure, records it, and holds the embedded Azure to the recording.

docs/verify-azure.md says what it needs, what it does, and what of it was never run.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from local.commands.daemons import prepare
from local.commands.environment import tools
from local.commands.plan import plan
from local.commands.running import command
from local.instance import REPOSITORY, Instance
from local.supervision import ports
from local.supervision.supervisor import Supervisor
from local.toolchain.progress import Progress
from tests.local.azure.conftest import RunningAzure, running_at
from tests.verification.compare import answers, requests
from tests.verification.deployment import Deployment
from tests.verification.exchange import Exchange, keep, kept
from tests.verification.replay import known_ids, planned_bodies, renamed, replayed

_AZURE = "https://management.azure.com"
_JOURNEY = f"{sys.executable} -m tests.end_to_end.journey --people browser --through tunnels"
_NOT_NEEDED = {"node-agent", "kube-controller-manager", "kube-scheduler"}


@contextmanager
def _embedded() -> Iterator[RunningAzure]:
    """An embedded Azure of its own, with all backends, gone afterwards."""
    known = tools(Instance.load())
    with ports.claimed() as base, tempfile.TemporaryDirectory(prefix="tributary-verify-") as folder:
        instance = Instance(Path(folder), base)
        instance.keep()
        supervisor = Supervisor(instance, Progress())
        try:
            supervisor.up([each for each in prepare(instance, known) if each.name not in _NOT_NEEDED])
            yield running_at(instance)
        finally:
            supervisor.down()


def _differences(stack: str, folder: Path, recording: list[Exchange], azure: RunningAzure) -> Iterator[str]:
    known = known_ids(recording)
    here = [renamed(each, known) for each in recording]
    yield from (f"request {each}" for each in requests(here, planned_bodies(plan(stack, folder))))
    with azure.client() as arm:
        found = answers(replayed(here, arm, {}))
    yield from (f"answer {each} ({times} times)" for each, times in found.most_common())


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make verify-azure STACK=…", description=__doc__)
    parser.add_argument("stack")
    parser.add_argument("--folder", type=Path, default=REPOSITORY, help="the program's, default this repository")
    parser.add_argument("--upstream", default=_AZURE, help=f"base URL of Resource Manager, default {_AZURE}")
    journey = "command that tries the deployed stack, given a file with its outputs; '' for none"
    parser.add_argument("--journey", default=_JOURNEY, help=f"{journey}; default {_JOURNEY}")
    parser.add_argument("--yes", action="store_true", help="deploy, and destroy, without asking")
    parser.add_argument("--destroy", action="store_true", help="destroy the stack afterwards, and record that, too")
    parser.add_argument("--recording", type=Path, help="compare this recording, and deploy nothing")
    parser.add_argument("--keep", type=Path, help="file to keep the recording in; it may hold secrets of the stack")
    return parser.parse_args()


def _recorded(options: argparse.Namespace, azure: RunningAzure) -> list[Exchange]:
    """What passes while the stack is deployed; kept, where that is wanted, even when it fails."""
    recording: list[Exchange] = []
    deployment = Deployment(
        stack=options.stack,
        folder=options.folder,
        upstream=options.upstream,
        journey=options.journey,
        unasked=options.yes,
        destroyed=options.destroy,
    )
    try:
        deployment.record(azure.instance, recording)
    finally:
        if options.keep:
            keep(recording, options.keep)
    return recording


def main() -> None:
    """Read the command line, record or read a recording, print what differs. Raises RuntimeError when anything does."""
    options = _arguments()
    with _embedded() as azure:
        recording = list(kept(options.recording)) if options.recording else _recorded(options, azure)
        found = list(_differences(options.stack, options.folder, recording, azure))
    sys.stdout.write("".join(f"{each}\n" for each in found))
    sys.stderr.write(f"{len(recording)} requests recorded, {len(found)} differences.\n")
    if found:
        raise RuntimeError("The embedded Azure differs from what was recorded; docs/deviations says where it is to.")


if __name__ == "__main__":
    command(main)
