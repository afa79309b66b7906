"""Memory limits: what grows beyond its limit is killed, as the kernel does in a cgroup.

Measured every two seconds, so a fast overshoot lives that long; no privilege is needed.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import psutil

from local.kubernetes.node.downward import memory_limit

if TYPE_CHECKING:
    from local.kubernetes.node.container import Container
    from local.kubernetes.node.worker import Worker

PERIOD_SECONDS = 2.0


async def enforce(workers: Callable[[], Mapping[str, Worker]]) -> None:
    """Never returns; cancel it."""
    while True:
        await asyncio.sleep(PERIOD_SECONDS)
        children = _children()
        for worker in tuple(workers().values()):
            for container in worker.every:
                limit = memory_limit(container.spec)
                if limit is not None and used(container, limit, children) > limit:
                    await kill(container, limit)


async def kill(container: Container, limit: int) -> None:
    """End a container as out of memory."""
    process = container.process
    if process is not None and process.shim() is not None:
        container.out_of_memory = True
        message = f"Container {container.name} used more than its memory limit of {limit} bytes"
        container.pod.event("Warning", "OOMKilling", message, container.name)
        await process.kill()


def _children() -> Mapping[int, list[int]]:
    """Process ids by their parent's. Read once for all containers: each reading looks at every process there is."""
    found = defaultdict(list)
    for each in psutil.process_iter(["ppid"]):
        found[each.info["ppid"]].append(each.pid)
    return found


def used(container: Container, floor: int, children: Mapping[int, list[int]]) -> int:
    """Bytes a container's processes hold: each one's own pages and its share of the shared ones.

    Up to ``floor`` a coarser and cheaper figure that counts shared pages more than once.
    """
    shim = container.process.shim() if container.process is not None and "running" in container.state else None
    if shim is None:
        return 0
    every, ids = [], [*children.get(shim, ())]
    while ids:
        pid = ids.pop()
        ids += children.get(pid, ())
        with contextlib.suppress(psutil.Error):  # gone since
            every.append(psutil.Process(pid))
    resident = sum(_resident(each) for each in every)
    return resident if resident <= floor else _proportional(every)


def _proportional(every: list[psutil.Process]) -> int:
    total = 0
    for each in every:
        try:
            total += each.memory_full_info().pss
        except (psutil.Error, AttributeError, OSError):  # gone, not Linux, or another user's
            total += _resident(each)
    return total


def _resident(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except psutil.Error:
        return 0
