"""Starts, finds again and ends containers: each is a shim and its process, recorded in a folder of its own."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from local.instance import REPOSITORY
from local.kubernetes.node import linux

_SHIM = [sys.executable, "-S", "-E", "-m", "local.kubernetes.node.shim"]
_ENTER = [sys.executable, "-S", "-E", "-m", "local.kubernetes.node.enter"]


class StartError(Exception):
    """A process that could not be started; the message says why."""


@dataclass(frozen=True)
class Execution:
    """What a command inside a container gave."""

    code: int
    output: bytes


class Process:
    """A container's attempt: running, or ended with a record.

    folder: where its shim keeps spec.json, process.json, output.log and exit.json.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def log(self) -> Path:
        """Its output in CRI format."""
        return self.folder / "output.log"

    @property
    def spec(self) -> dict[str, Any]:
        """What it was started with."""
        document: dict[str, Any] = json.loads((self.folder / "spec.json").read_text())
        return document

    def _record(self) -> dict[str, Any] | None:
        try:
            record: dict[str, Any] = json.loads((self.folder / "process.json").read_text())
        except (OSError, ValueError):
            return None
        return record

    def shim(self) -> int | None:
        """The shim's process id while it runs."""
        record = self._record()
        if record is None:
            return None
        alive = _start(record["pid"])
        return record["pid"] if alive is not None and alive == record["start"] else None

    def main(self) -> int | None:
        """The container's process id as this machine sees it."""
        shim = self.shim()
        try:
            children = psutil.Process(shim).children() if shim else []
        except psutil.Error:
            return None
        return min((each.pid for each in children), default=None)

    def started(self) -> str:
        """When it started (RFC 3339)."""
        return str((self._record() or {}).get("started", ""))

    def ended(self) -> dict[str, Any]:
        """Its end as the shim recorded it; a shim that was killed recorded none."""
        try:
            found: dict[str, Any] = json.loads((self.folder / "exit.json").read_text())
        except (OSError, ValueError):
            record = self._record() or {}
            message = "the process was killed together with its supervisor"
            return {"exitCode": 137, "signal": 9, "reason": "Error", "message": message,
                    "startedAt": record.get("started"), "finishedAt": None}  # fmt: skip
        return found

    async def wait(self) -> dict[str, Any]:
        """Its end, once it has ended."""
        pid = self.shim()
        if pid is not None:
            await _gone(pid, self)
        return self.ended()

    def terminate(self) -> None:
        """SIGTERM to the container's first process."""
        self._signal(signal.SIGTERM)

    async def kill(self) -> None:
        """SIGKILL to everything in the container; returns when it is gone."""
        self._signal(signal.SIGUSR1)
        try:
            await asyncio.wait_for(self.wait(), 3)
        except TimeoutError:
            self._signal(signal.SIGKILL)
            await self.wait()

    def _signal(self, number: signal.Signals) -> None:
        pid = self.shim()
        if pid is not None:
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                return

    async def execute(self, command: Sequence[str], seconds: float | None) -> Execution:
        """Run a command inside the container, output and errors together.

        Raises TimeoutError (the command is killed then) and StartError when the container is not running.
        """
        main = self.main()
        if main is None:
            raise StartError("the container is not running")
        child = await asyncio.create_subprocess_exec(
            *_ENTER, str(self.folder), str(main), *command, cwd=REPOSITORY,
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
            env={}, start_new_session=True,
        )  # fmt: skip
        try:
            output, _ = await asyncio.wait_for(child.communicate(), seconds)
        except (TimeoutError, asyncio.CancelledError):
            for each in (*psutil.Process(child.pid).children(recursive=True), child):
                each.kill()
            await child.wait()
            raise
        return Execution(child.returncode or 0, output)


async def start(folder: Path, spec: dict[str, Any]) -> Process:
    """Start a container in a fresh folder. Raises StartError."""
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "scratch").mkdir(parents=True)
    path = folder / "spec.json"
    path.touch(mode=0o600)
    path.write_text(json.dumps(spec | {"scratch": str(folder / "scratch")}))
    launcher = await asyncio.create_subprocess_exec(
        *_SHIM, str(folder), cwd=REPOSITORY, env={}, start_new_session=True,
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    output, _ = await launcher.communicate()
    answer = output.decode().strip()
    process = Process(folder)
    if answer != "started":
        await process.wait()
        raise StartError(answer or "the shim ended without an answer")
    return process


def _start(pid: int) -> str | None:
    if sys.platform == "linux":
        return linux.start_time(pid)
    try:
        return str(psutil.Process(pid).create_time())
    except psutil.Error:
        return None


async def _gone(pid: int, process: Process) -> None:
    """Wait for a process that need not be our child."""
    try:
        descriptor = os.pidfd_open(pid)
    except (AttributeError, OSError):  # not Linux, before 5.3, or gone already
        while process.shim() is not None:  # noqa: ASYNC110  # nobody would set an event
            await asyncio.sleep(0.2)
        return
    loop, ended = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(descriptor, ended.set)
    try:
        await ended.wait()
    finally:
        loop.remove_reader(descriptor)
        os.close(descriptor)
