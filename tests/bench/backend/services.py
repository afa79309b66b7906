"""Services as processes of their own, started as a pod starts them, and what they cost."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil

from local.instance import REPOSITORY

_UP_WITHIN = 60.0


@dataclass(frozen=True)
class Service:
    """A running service."""

    url: str
    process: psutil.Process


def free_address() -> tuple[int, str]:
    """A port that nobody listens on, and the base URL of a service there."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port, f"http://127.0.0.1:{port}"


@contextmanager
def running(
    name: str, environment: Mapping[str, str], log: Path, port: int | None = None, module: str | None = None
) -> Iterator[Service]:
    """A service of the package's name until the end; its log in a file. Raises RuntimeError when it does not start.

    port: one that is free, None for any. module: that starts the service of its first argument; None, its own.
    """
    port = port or free_address()[0]
    started = [module, name] if module else [f"workloads.services.{name}"]
    url = f"http://127.0.0.1:{port}"
    told = {**os.environ, **environment, "POD_IP": "127.0.0.1", "PORT": str(port)}
    with log.open("wb") as out:
        process = subprocess.Popen([sys.executable, "-m", *started], cwd=REPOSITORY, env=told, stdout=out, stderr=out)
    try:
        _wait(name, url, process, log)
        yield Service(url, psutil.Process(process.pid))
    finally:
        process.terminate()
        process.wait(30)


def _wait(name: str, url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _UP_WITHIN
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if httpx.get(f"{url}/healthz/startup", timeout=5).is_success:
                return
        except httpx.HTTPError:
            time.sleep(0.05)
    raise RuntimeError(f"{name} did not start:\n{log.read_text()[-2000:]}")


def busy(*processes: psutil.Process) -> float:
    """Seconds of processor time that processes and those that they started have used so far."""
    total = 0.0
    for process in processes:
        for each in [process, *process.children(recursive=True)]:
            times = each.cpu_times()
            total += times.user + times.system + times.children_user + times.children_system
    return total


def postmaster(folder: Path) -> psutil.Process:
    """The PostgreSQL server whose data lie in a folder."""
    return psutil.Process(int((folder / "data" / "postmaster.pid").read_text().split()[0]))
