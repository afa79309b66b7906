"""A spare interpreter: forked from this one while it has one thread, it waits to run one module of the SDK's.

A policy pack is started while the engine waits for it. Most of what its interpreter does until it can be asked
something is to import the SDK, which the language host has done by then.
"""

from __future__ import annotations

import io
import multiprocessing
import os
import runpy
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from multiprocessing.connection import Connection
from typing import IO, Any

_fork = multiprocessing.get_context("fork") if sys.platform == "linux" else None
"""Elsewhere a process may not go on after a fork: macOS' own libraries end it."""


class Spare:
    """One that waits. Once it runs, it can be read and ended like a ``subprocess.Popen``."""

    def __init__(self) -> None:
        if _fork is None or threading.active_count() > 1:
            raise RuntimeError("An interpreter can be forked on Linux, while it has one thread.")
        order, self._order = _fork.Pipe(duplex=False)
        reads, writes = zip(os.pipe(), os.pipe(), strict=True)
        self._process = _fork.Process(target=_run, args=(order, self._order, writes), daemon=True)
        self._process.start()
        order.close()
        for each in writes:
            os.close(each)
        self.stdout: IO[bytes]
        self.stderr: IO[bytes]
        self.stdout, self.stderr = (os.fdopen(each, "rb", buffering=0) for each in reads)

    def run(self, module: str, arguments: Sequence[str], folder: str, environment: Mapping[str, str]) -> None:
        """Run a module as ``python -u -m module arguments`` does in a folder, with these variables and no others."""
        self._order.send((module, list(arguments), folder, dict(environment)))

    def poll(self) -> int | None:
        """The exit code; None while it runs."""
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        """The exit code, once it has ended. Raises subprocess.TimeoutExpired."""
        self._process.join(timeout)
        code = self._process.exitcode
        if code is None:
            raise subprocess.TimeoutExpired(self._process.name, timeout or 0)
        return code

    def terminate(self) -> None:
        """Ask it to end."""
        self._process.terminate()

    def kill(self) -> None:
        """End it."""
        self._process.kill()


def _run(order: Connection, other_end: Connection, streams: Sequence[int]) -> None:
    # The engine tells all of the host's group to end: silently, also while a pack that refused its input is ending.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    other_end.close()
    try:
        module, arguments, folder, environment = order.recv()
    except EOFError:  # whoever might have asked is gone
        return
    own = {sys.path[0], *os.environ.get("PYTHONPATH", "").split(os.pathsep)}
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    given = [each for each in environment.get("PYTHONPATH", "").split(os.pathsep) if each]
    sys.path[:] = [folder, *given, *(each for each in sys.path if each not in own)]
    sys.argv[1:] = arguments
    for number, stream in enumerate(streams, start=1):
        os.dup2(stream, number)
        os.close(stream)
    sys.stdout, sys.stderr = (_unbuffered(number) for number in (1, 2))
    runpy.run_module(module, run_name="__main__", alter_sys=True)


def _unbuffered(number: int) -> io.TextIOWrapper:
    """A stream as -u makes it: what is written through its buffer does not wait either."""
    raw: Any = open(number, "wb", buffering=0, closefd=False)  # noqa: SIM115  # it lives as long as the process
    return io.TextIOWrapper(raw, write_through=True)
