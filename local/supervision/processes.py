"""Which processes belong to an instance, and how they end: nothing of it may outlive it."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterable
from pathlib import Path

import psutil

INSTANCE_VARIABLE = "TRIBUTARY_INSTANCE"
"""In the environment of every daemon and what it starts: the state folder. Never set in a person's shell."""
_SHIM = "local.kubernetes.node.shim"
"""A container's parent: started with an empty environment, and meant to outlive the node agent."""


def of_instance(state: Path, *, containers: bool) -> list[psutil.Process]:
    """Processes that the instance started, our own excluded. containers: also those that run pods."""
    own = {psutil.Process().pid, *(each.pid for each in psutil.Process().parents())}
    everything = {each.pid: each for each in psutil.process_iter() if each.pid not in own}
    shims = {pid for pid, each in everything.items() if _is_shim(each, state)}
    inside = {child.pid for pid in shims for child in _children(everything[pid])} | shims
    marked = {pid for pid, each in everything.items() if pid not in inside and _is_marked(each, state)}
    # PostgreSQL's children write their titles over their environment.
    marked |= {child.pid for pid in marked for child in _children(everything[pid])} - inside
    chosen = marked | inside if containers else marked
    return [everything[pid] for pid in sorted(chosen & everything.keys())]


def end(processes: Iterable[psutil.Process], seconds: float = 15.0) -> None:
    """Ask processes to end, and kill those that have not after a while."""
    left = list(processes)
    for number in (signal.SIGTERM, signal.SIGKILL):
        for each in left:
            with contextlib.suppress(psutil.Error):
                each.send_signal(number)
        _, left = psutil.wait_procs(left, timeout=seconds)
        if not left:
            return


def _children(process: psutil.Process) -> list[psutil.Process]:
    try:
        return process.children(recursive=True)
    except psutil.Error:
        return []


def _is_shim(process: psutil.Process, state: Path) -> bool:
    try:
        arguments = process.cmdline()
    except psutil.Error:
        return False
    return _SHIM in arguments and any(each.startswith(f"{state}/") for each in arguments)


def _is_marked(process: psutil.Process, state: Path) -> bool:
    try:
        return process.environ().get(INSTANCE_VARIABLE) == str(state)
    except (psutil.Error, OSError):
        return False
