"""Runs an instance's daemons under supervisord: in dependency order, each until it is ready."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
import time
import xmlrpc.client
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPException
from pathlib import Path
from typing import Any

import psutil
from supervisor.xmlrpc import SupervisorTransport

from local.daemon import Daemon
from local.instance import Instance
from local.supervision import configuration, ports, processes
from local.toolchain.cache import write
from local.toolchain.progress import Progress

READY_SECONDS = 120.0
"""How long a daemon may take until it serves; a cold machine with two cores needs 20 s for the API server."""
_STOP_SECONDS = 60.0
_FALSE_STARTS = 4
"""How often a daemon may end within its first second: a port that its forerunner just left takes one or two."""


class SupervisionError(Exception):
    """A daemon that does not come up, with the end of its log."""


class Supervisor:
    """The daemons of one instance."""

    def __init__(self, instance: Instance, progress: Progress) -> None:
        self.instance, self.progress = instance, progress

    @property
    def _order(self) -> Path:
        return self.instance.state / "daemons.json"

    def running(self) -> bool:
        """Whether supervisord answers."""
        try:
            return self._call("getState")["statename"] == "RUNNING"
        except (OSError, HTTPException, xmlrpc.client.Error):
            return False

    def states(self) -> dict[str, str]:
        """Daemon → supervisord's word for its state, e.g. "RUNNING"."""
        return {each["name"]: each["statename"] for each in self._call("getAllProcessInfo")}

    def up(self, daemons: Sequence[Daemon]) -> None:
        """Bring every daemon to serve, whatever state a killed or interrupted run left behind.

        Raises PortTaken or SupervisionError.
        """
        self.instance.logs.mkdir(parents=True, exist_ok=True)
        path = configuration.path_of(self.instance)
        text = configuration.render(self.instance, daemons)
        before = path.read_text() if path.exists() else ""
        write(path, text)
        write(self._order, json.dumps({each.name: list(each.after) for each in daemons}))
        path.chmod(0o600)  # a daemon's environment may hold what others must not read
        if self.running():
            if text != before:
                self._reload()
        else:
            self._start_supervisord()
        self._start_in_order(daemons)

    def down(self) -> None:
        """Stop every daemon and whatever they left running, pods included."""
        if self.running():
            with self.progress.step("stopping the daemons"):
                supervisord = self._pid()
                # An answer may come too late: what does not stop when asked is ended below.
                with contextlib.suppress(OSError, HTTPException, xmlrpc.client.Error):
                    self._stop_in_order()
                    self._call("shutdown")
                _await(lambda: supervisord is None or not psutil.pid_exists(supervisord), _STOP_SECONDS)
        with self.progress.step("stopping the pods' processes"):
            processes.end(processes.of_instance(self.instance.state, containers=True))
        configuration.socket_path(self.instance).unlink(missing_ok=True)

    def _start_supervisord(self) -> None:
        left = processes.of_instance(self.instance.state, containers=False)
        if left:
            with self.progress.step(f"ending {len(left)} processes that a killed run left behind"):
                processes.end(left)
        ports.check(self.instance)
        socket = configuration.socket_path(self.instance)
        socket.unlink(missing_ok=True)
        (self.instance.state / "supervisord.pid").unlink(missing_ok=True)
        path = [str(self.instance.bin), str(Path(sys.executable).parent), *os.environ.get("PATH", "").split(os.pathsep)]
        done = subprocess.run(
            [sys.executable, "-m", "supervisor.supervisord", "-c", str(configuration.path_of(self.instance))],
            env=configuration.clean_environment(self.instance, path),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            start_new_session=True,
        )
        if done.returncode or not _await(self.running, 20):
            log = _tail(self.instance, "supervisord")
            raise SupervisionError(f"supervisord did not start: {(done.stdout + done.stderr).strip()}\n{log}")

    def _reload(self) -> None:
        """Make supervisord follow a changed configuration: only what changed is stopped."""
        added, changed, removed = self._call("reloadConfig")[0]
        for name in (*changed, *removed):
            self._call("stopProcessGroup", name)
            self._call("removeProcessGroup", name)
        for name in (*added, *changed):
            self._call("addProcessGroup", name)

    def _stop_in_order(self) -> None:
        """Stop daemons side by side, each after those that need it."""
        left: dict[str, list[str]] = json.loads(self._order.read_text())
        names = self.states().keys()
        while left:
            needed = {name for after in left.values() for name in after}
            leaves = [name for name in left if name not in needed] or list(left)
            with ThreadPoolExecutor(len(leaves)) as pool:
                list(pool.map(self._stop, [name for name in leaves if name in names]))
            left = {name: after for name, after in left.items() if name not in leaves}

    def _stop(self, name: str) -> None:
        with contextlib.suppress(xmlrpc.client.Fault):  # it is not running
            self._call("stopProcess", name)

    def _start_in_order(self, daemons: Sequence[Daemon]) -> None:
        ready: Mapping[str, threading.Event] = {each.name: threading.Event() for each in daemons}
        unknown = {f"{each.name} → {name}" for each in daemons for name in each.after if name not in ready}
        if unknown:
            raise SupervisionError(f"daemons that wait for one that does not exist: {', '.join(sorted(unknown))}")
        given_up = threading.Event()

        def bring_up(daemon: Daemon) -> None:
            try:
                while not all(ready[name].is_set() for name in daemon.after):
                    if given_up.wait(0.02):
                        return
                with self.progress.step(daemon.name):
                    self._until_ready(daemon, given_up)
                ready[daemon.name].set()
            except BaseException:
                given_up.set()
                raise

        with ThreadPoolExecutor(max(len(daemons), 1)) as pool:
            attempts = [pool.submit(bring_up, each) for each in daemons]
            try:
                for each in attempts:
                    each.result()
            except BaseException:
                given_up.set()
                raise

    def _until_ready(self, daemon: Daemon, given_up: threading.Event) -> None:
        deadline = time.monotonic() + READY_SECONDS
        pause, started = 0.02, False
        false_starts: set[int] = set()
        while not given_up.is_set():
            told = self._call("getProcessInfo", daemon.name)
            state = told["statename"]
            if state == "BACKOFF":
                false_starts.add(told["start"])
            if state in {"RUNNING", "STARTING"}:
                if daemon.ready():
                    return
            elif state in {"STOPPED", "EXITED"} or (state == "FATAL" and not started):
                self._start(daemon.name)
                started = True
            elif state == "FATAL" or len(false_starts) >= _FALSE_STARTS:
                raise SupervisionError(f"{daemon.name} ends as soon as it is started.\n{self._why(daemon.name)}")
            if time.monotonic() > deadline:
                raise SupervisionError(
                    f"{daemon.name} is not ready after {READY_SECONDS:.0f} s.\n{self._why(daemon.name)}"
                )
            given_up.wait(pause)
            pause = min(pause * 1.5, 0.5)

    def _why(self, name: str) -> str:
        """The end of its log, after who else listens on a port of ours."""
        with contextlib.suppress(psutil.Error):
            try:
                ports.check(self.instance)
            except ports.PortTaken as taken:
                return f"{taken}\n{_tail(self.instance, name)}"
        return _tail(self.instance, name)

    def _start(self, name: str) -> None:
        try:
            self._call("startProcess", name, False)
        except xmlrpc.client.Fault as fault:
            if "ALREADY_STARTED" not in fault.faultString:
                raise SupervisionError(f"{name} can't be started: {fault.faultString}") from None

    def _pid(self) -> int | None:
        try:
            return int(self._call("getPID"))
        except (OSError, HTTPException, xmlrpc.client.Error):
            return None

    def _call(self, method: str, *arguments: Any) -> Any:
        """One call of supervisord's XML-RPC interface, on a connection of its own: threads share none."""
        transport = SupervisorTransport(None, None, f"unix://{configuration.socket_path(self.instance)}")
        with xmlrpc.client.ServerProxy("http://127.0.0.1", transport) as server:
            return getattr(server.supervisor, method)(*arguments)


def _await(condition: Callable[[], bool], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def _tail(instance: Instance, name: str) -> str:
    log = instance.logs / f"{name}.log"
    lines = log.read_text(errors="replace").splitlines()[-15:] if log.exists() else []
    return f"  The end of {log}:\n" + "\n".join(f"    {line[:400]}" for line in lines)
