"""``make verify-azure STACK=…``: deploys a stack to Azure, records it, and holds the embedded Azure to the recording.

docs/verify-azure.md says what it needs, what it does, and what of it was never run.
"""

from __future__ import annotations

import argparse
import os
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import yaml

from local.azure.daemons import authority
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
from tests.verification.exchange import Exchange, keep, kept
from tests.verification.recorder import Recorder
from tests.verification.replay import known_ids, planned_bodies, renamed, replayed

_AZURE = "https://management.azure.com"
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


def _recorded(stack: str, upstream: str, journey: str, azure: RunningAzure) -> list[Exchange]:
    """What passes while the stack goes up and the journey is made. Raises CalledProcessError when one of them fails."""
    instance = azure.instance
    files = authority(instance).issue_files(instance.state, "recorder", ["127.0.0.1"])
    recorder = Recorder(upstream, instance.ca_bundle, *files)
    given = yaml.safe_load((REPOSITORY / f"Pulumi.{stack}.yaml").read_text())
    with recorder.listening() as host:
        given["config"]["azure-native:metadataHost"] = host
        file = instance.state / f"Pulumi.{stack}.yaml"
        file.write_text(yaml.safe_dump(given))
        variables = {**os.environ, "ARM_METADATA_HOSTNAME": host, "SSL_CERT_FILE": str(instance.ca_bundle)}
        deploy = ["pulumi", "up", "--stack", stack, "--config-file", str(file)]
        for each in (deploy, shlex.split(journey)):
            if each:
                subprocess.run(each, cwd=REPOSITORY, env=variables, check=True)
    return recorder.exchanges


def _differences(stack: str, recording: list[Exchange], azure: RunningAzure) -> Iterator[str]:
    known = known_ids(recording)
    here = [renamed(each, known) for each in recording]
    yield from (f"request {each}" for each in requests(here, planned_bodies(plan(stack))))
    with azure.client() as arm:
        found = answers(replayed(here, arm, {}))
    yield from (f"answer {each} ({times} times)" for each, times in found.most_common())


def main() -> None:
    """Read the command line, record or read a recording, print what differs. Raises RuntimeError when anything does."""
    parser = argparse.ArgumentParser(prog="make verify-azure STACK=…", description=__doc__)
    parser.add_argument("stack")
    parser.add_argument("--upstream", default=_AZURE, help=f"base URL of Resource Manager, default {_AZURE}")
    parser.add_argument("--journey", default="", help="command that makes the end-to-end journey on the deployed stack")
    parser.add_argument("--recording", type=Path, help="compare this recording, and deploy nothing")
    parser.add_argument("--keep", type=Path, help="file to keep the recording in; it may hold secrets of the stack")
    options = parser.parse_args()
    with _embedded() as azure:
        if options.recording:
            recording = list(kept(options.recording))
        else:
            recording = _recorded(options.stack, options.upstream, options.journey, azure)
        if options.keep:
            keep(recording, options.keep)
        found = list(_differences(options.stack, recording, azure))
    sys.stdout.write("".join(f"{each}\n" for each in found))
    sys.stderr.write(f"{len(recording)} requests recorded, {len(found)} differences.\n")
    if found:
        raise RuntimeError("The embedded Azure differs from what was recorded; docs/deviations says where it is to.")


if __name__ == "__main__":
    command(main)
