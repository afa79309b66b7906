"""Every pod that is deployed on this checkout's platform: memory while nobody asks for anything, and time to ready."""

from __future__ import annotations

import contextlib
import datetime
import json
import os
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from local.commands.environment import NotRunning, environment, tools
from local.instance import Instance
from local.kubernetes.files import Files
from tests.bench.backend.figures import Figure

PSS_MB, STARTED_SECONDS = 2048.0, 60.0
_MEGABYTE = 2**20


@dataclass(frozen=True)
class Pod:
    """A pod that runs. took: seconds from its creation until it was ready. memory: PSS of its processes, megabytes."""

    name: str
    created: datetime.datetime
    ready: datetime.datetime
    memory: float

    @property
    def took(self) -> float:
        return (self.ready - self.created).total_seconds()


def _kubectl(instance: Instance, *arguments: str) -> Any:
    done = subprocess.run(
        [tools(instance)["kubectl"], *arguments, "--output=json"],
        env={**os.environ, **environment(instance)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise NotRunning(f"kubectl can't list pods: {done.stderr.strip()}")
    return json.loads(done.stdout)


def _running(listed: Sequence[Any], folders: Path) -> Iterator[Pod]:
    for each in listed:
        ready = [c for c in each["status"].get("conditions", []) if c["type"] == "Ready" and c["status"] == "True"]
        if ready:
            about = each["metadata"]
            times = _when(about["creationTimestamp"]), _when(ready[0]["lastTransitionTime"])
            yield Pod(about["name"], *times, _memory(folders / about["uid"]))


def _when(text: str) -> datetime.datetime:
    return datetime.datetime.fromisoformat(text)


def _memory(folder: Path) -> float:
    """Of the processes of a pod's containers; the node's own process that watches each is none of the pod's."""
    total = 0.0
    for record in folder.glob("containers/*/*/process.json"):
        with contextlib.suppress(psutil.Error):  # of an attempt that has ended
            for each in psutil.Process(json.loads(record.read_text())["pid"]).children(recursive=True):
                total += each.memory_full_info().pss / _MEGABYTE
    return total


def measure() -> list[Figure]:
    """Look at the platform of this checkout. None is told, and why is, when it is not up."""
    try:
        listed = _kubectl(Instance.load(), "get", "pods", "--all-namespaces")["items"]
    except NotRunning as error:
        print(f"  not measured: {error}")
        return []
    found = sorted(_running(listed, Files.of(Instance.load()).pods), key=lambda each: -each.memory)
    for each in found:
        print(f"  {each.name:<52} {each.memory:6.0f} MB PSS, ready {each.took:5.0f} s after it was created")
    first = min(_when(each["metadata"]["creationTimestamp"]) for each in listed)  # migrations come before services
    last = max(each.ready for each in found)
    return [
        Figure.of(f"{len(found)} pods idle together", sum(each.memory for each in found), PSS_MB, "MB PSS"),
        Figure.of("first pod created → last service ready", (last - first).total_seconds(), STARTED_SECONDS),
    ]
