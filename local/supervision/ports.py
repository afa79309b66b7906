"""Whether an instance's ports are free, and who has them when they are not."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from local.instance import Instance
from local.supervision import processes

_HERE = {"127.0.0.1", "0.0.0.0", "::", "::ffff:127.0.0.1"}  # noqa: S104  # compared with, not bound


class PortTaken(Exception):
    """A port of the instance that another program listens on."""


def check(instance: Instance) -> None:
    """Raises PortTaken, naming every port of the instance that is in use by somebody else, and by whom if known."""
    wanted = {instance.port(name): name for name in instance.fixed_ports} | dict.fromkeys(instance.dynamic_ports, "")
    ours = {each.pid for each in processes.of_instance(instance.state, containers=True)}
    taken = sorted({port: pid for port, pid in _listeners(wanted) if pid is None or pid not in ours}.items())
    if not taken:
        return
    shown = "\n".join(f"  {port}{_purpose(wanted[port])}: in use by {_owner(pid)}" for port, pid in taken)
    raise PortTaken(
        f"Ports of this instance (TRIBUTARY_PORT_BASE {instance.port_base}) are in use by something else:\n{shown}\n"
        f"  What to do: stop it, or choose another hundred of ports: `make clean`, then "
        f"TRIBUTARY_PORT_BASE={free_hundred()} make up"
    )


def _purpose(name: str) -> str:
    return f" ({name})" if name else ""


def _listeners(wanted: Iterable[int]) -> list[tuple[int, int | None]]:
    """(port, process id or None) of each listening socket that would be in the way."""
    try:
        connections = psutil.net_connections("tcp")
    except psutil.AccessDenied:  # macOS tells only root
        return [(port, None) for port in wanted if not _bindable(port)]
    sought = set(wanted)
    return [
        (port, each.pid)
        for each in connections
        if each.status == psutil.CONN_LISTEN
        for ip, port in [each.laddr[:2]]
        if port in sought and ip in _HERE
    ]


def _bindable(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _owner(pid: int | None) -> str:
    if pid is None:
        return "a process of another user"
    try:
        process = psutil.Process(pid)
        command = Path(process.exe() or process.name()).name
        state = process.environ().get(processes.INSTANCE_VARIABLE)
    except (psutil.Error, OSError):
        return f"process {pid}"
    return f"{command} (process {pid}" + (f", of the instance in {state})" if state else ")")


def free_hundred() -> int:
    """The base of a hundred ports in which nothing listens."""
    return next(_free_hundreds(0))


@contextmanager
def claimed() -> Iterator[int]:
    """The same, held against others who ask, by its last port, which nothing of an instance uses."""
    for base in _free_hundreds(os.getpid()):
        with socket.socket() as claim:
            try:
                claim.bind(("127.0.0.1", base + 99))
            except OSError:
                continue
            yield base
            return
    raise PortTaken("No hundred of ports from 8400 to 30000 is free. Stop what listens there.")


def _free_hundreds(start: int) -> Iterator[int]:
    hundreds = range(84, 300)
    try:
        listening = [each.laddr[:2] for each in psutil.net_connections("tcp") if each.status == psutil.CONN_LISTEN]
        used = {port // 100 for _, port in listening}
    except psutil.AccessDenied:  # macOS tells only root
        used = {each for each in hundreds if not _bindable(each * 100 + 1)}
    turned = (hundreds[(start + index) % len(hundreds)] for index in range(len(hundreds)))
    yield from (each * 100 for each in turned if each not in used)
