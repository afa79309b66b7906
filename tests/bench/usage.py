"""What a command costs: wall time, processor time and memory of a process and of all that it starts."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

import psutil

_PAUSE = 0.1  # seconds between two looks; what a process does after the last look at it is not seen
_LOOKS_A_MEMORY = 5  # memory is dearer to read: at each fifth look
_MEGABYTE = 2**20


@dataclass
class Usage:
    """wall, cpu: seconds. memory: megabytes of all processes together at their peak, shared pages divided (PSS).

    parts: seconds of processor time by what the processes are.
    """

    wall: float = 0.0
    cpu: float = 0.0
    memory: float = 0.0
    parts: dict[str, float] = field(default_factory=dict)


@contextlib.contextmanager
def measured(role: Callable[[list[str]], str]) -> Iterator[Usage]:
    """Measures the processes that this one starts within, and theirs. role: what a command line is, for the parts."""
    before = {each.pid for each in psutil.Process().children(recursive=True)}
    seen: dict[int, tuple[str, float]] = {}
    usage, done = Usage(), threading.Event()
    watch = threading.Thread(target=_watch, args=(before, role, seen, usage, done), daemon=True)
    watch.start()
    start = time.monotonic()
    try:
        yield usage
    finally:
        usage.wall = time.monotonic() - start
        done.set()
        watch.join()
        usage.cpu, usage.parts = _summed(seen)


def _watch(
    before: set[int],
    role: Callable[[list[str]], str],
    seen: dict[int, tuple[str, float]],
    usage: Usage,
    done: threading.Event,
) -> None:
    looks = 0
    while not done.wait(_PAUSE):
        looks += 1
        memory = 0.0
        for process in psutil.Process().children(recursive=True):
            if process.pid in before:
                continue
            with contextlib.suppress(psutil.Error):
                times = process.cpu_times()
                seen[process.pid] = role(process.cmdline()), times.user + times.system
                if looks % _LOOKS_A_MEMORY == 0:
                    memory += getattr(process.memory_full_info(), "pss", 0) / _MEGABYTE  # Linux tells, macOS does not
        usage.memory = max(usage.memory, memory)


def _summed(seen: Mapping[int, tuple[str, float]]) -> tuple[float, dict[str, float]]:
    parts: dict[str, float] = {}
    for role, seconds in seen.values():
        parts[role] = parts.get(role, 0.0) + seconds
    return sum(parts.values()), parts
