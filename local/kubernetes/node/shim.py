"""Runs one container: starts its process, keeps its output, records its end, leaves nothing of it behind.

A process of its own, so that the agent can die and find its containers again (conmon and containerd-shim do the
same). Started as ``python -S -E -m local.kubernetes.node.shim FOLDER``; standard library only, to stay small.
FOLDER holds ``spec.json``; written there: ``process.json`` (pid, start), ``output.log`` (CRI log format),
``exit.json``. Standard output carries one line, "started" or why not. SIGTERM is passed to the process;
SIGUSR1 kills everything.
"""

from __future__ import annotations

import contextlib
import datetime
import json
import os
import selectors
import signal
import sys
from pathlib import Path
from typing import Any, NoReturn

from local.kubernetes.node import identity, linux, sandbox
from local.kubernetes.node.output import Output


def now() -> str:
    """RFC 3339 with microseconds."""
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def main(folder: Path) -> None:
    """The launcher: makes the namespaces, forks the shim, writes down who it is, and is gone."""
    spec = json.loads((folder / "spec.json").read_text())
    if spec["namespaces"]:
        user = linux.CLONE_NEWUSER if os.geteuid() else 0
        os.environ["SHIM_UID"], os.environ["SHIM_GID"] = str(os.geteuid()), str(os.getegid())
        linux.unshare(user | linux.CLONE_NEWPID)
        if user:
            identity.map_user(spec["uid"], spec["gid"])
    go, ready = os.pipe()
    pid = os.fork()
    if pid:
        record = {"pid": pid, "start": linux.start_time(pid) if sys.platform == "linux" else None, "started": now()}
        write(folder / "process.json", record)
        os.write(ready, b"!")
        os._exit(0)
    os.close(ready)
    if os.read(go, 1):  # nothing runs that is not written down
        Shim(folder, spec).run()
    os._exit(0)


def write(path: Path, document: dict[str, Any]) -> None:
    """Write a small JSON file whole or not at all."""
    scratch = path.with_suffix(".new")
    scratch.write_text(json.dumps(document))
    scratch.replace(path)


class Shim:
    """The parent of one container's process."""

    def __init__(self, folder: Path, spec: dict[str, Any]) -> None:
        self.folder, self.spec = folder, spec
        self.output = Output(folder / "output.log")
        self.status: int | None = None
        self.pid = 0

    def run(self) -> NoReturn:
        """Start the process, serve it until it ends, record the end."""
        os.setsid()
        if sys.platform == "linux" and not self.spec["namespaces"]:
            linux.adopt_orphans()
        wake, wake_in = os.pipe()
        os.set_blocking(wake_in, False)
        signal.set_wakeup_fd(wake_in, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.signal(signal.SIGTERM, lambda *_: self._signal(signal.SIGTERM))
        signal.signal(signal.SIGUSR1, lambda *_: self._kill_all())
        for ignored in (signal.SIGINT, signal.SIGHUP):
            signal.signal(ignored, signal.SIG_IGN)
        streams = {"stdout": os.pipe(), "stderr": os.pipe()}
        error, error_in = os.pipe()
        started = now()
        self.pid = os.fork()
        if self.pid == 0:
            self._child(streams["stdout"][1], streams["stderr"][1], error_in)
        for _, child_end in streams.values():
            os.close(child_end)
        os.close(error_in)
        failure = os.read(error, 4096).decode()
        self._report(failure or "started")
        selector = selectors.DefaultSelector()
        selector.register(wake, selectors.EVENT_READ, "wake")
        for name, (reading, _) in streams.items():
            selector.register(reading, selectors.EVENT_READ, name)
        self._serve(selector)
        self._record(started, failure)
        os._exit(0)

    def _report(self, line: str) -> None:
        os.write(1, line.replace("\n", " ").encode() + b"\n")
        null = os.open(os.devnull, os.O_RDWR)
        for descriptor in (0, 1, 2):
            os.dup2(null, descriptor)

    def _serve(self, selector: selectors.BaseSelector) -> None:
        open_streams = 2
        while self.status is None or open_streams:
            for key, _ in selector.select(timeout=5):
                data = os.read(key.fd, 65536)
                if key.data == "wake":
                    self._reap()
                elif data:
                    self.output.write(key.data, data)
                else:
                    selector.unregister(key.fd)
                    open_streams -= 1
        self.output.flush()

    def _reap(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            if pid == self.pid:
                self.status = status
                self._kill_all()  # a container ends with its first process

    def _signal(self, number: int) -> None:
        if self.status is None and self.pid:
            os.kill(self.pid, number)

    def _kill_all(self) -> None:
        if self.spec["namespaces"]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(-1, signal.SIGKILL)  # all of this PID namespace but ourselves, its first process
            return
        for pid in _children(os.getpid()) or ([self.pid] if self.status is None else []):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def _record(self, started: str, failure: str) -> None:
        status = self.status or 0
        code = 128 if failure else os.waitstatus_to_exitcode(status)
        killed = -code if code < 0 else 0
        reason = "StartError" if failure else "Completed" if code == 0 else "Error"
        write(
            self.folder / "exit.json",
            {
                "exitCode": 128 + killed if killed else code,
                "signal": killed,
                "reason": reason,
                "message": failure,
                "startedAt": started,
                "finishedAt": now(),
            },
        )

    def _child(self, stdout: int, stderr: int, error: int) -> NoReturn:
        spec = self.spec
        try:
            os.setsid()
            signal.set_wakeup_fd(-1)
            for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGUSR1, signal.SIGINT, signal.SIGHUP):
                signal.signal(number, signal.SIG_DFL)
            signal.signal(signal.SIGPIPE, signal.SIG_DFL)
            null = os.open(os.devnull, os.O_RDONLY)
            if spec["namespaces"]:
                sandbox.enter(spec)
            os.dup2(null, 0)
            os.dup2(stdout, 1)
            os.dup2(stderr, 2)
            os.umask(0o022)
            if sys.platform == "linux":
                identity.become(spec)
                linux.die_with_parent(signal.SIGKILL)
            execute(spec["argv"], spec["environment"], spec["folder"])
        except OSError as problem:
            os.write(error, f"{problem}".encode()[:4000])
        except BaseException as problem:  # the agent has to hear of it, whatever it was
            os.write(error, f"{type(problem).__name__}: {problem}".encode()[:4000])
        os._exit(128)


def execute(argv: list[str], environment: dict[str, str], folder: str) -> NoReturn:
    """Become a command, found on the environment's PATH, in a working folder. Raises OSError naming what failed."""
    try:
        os.chdir(folder)
    except OSError as problem:
        raise OSError(f"working folder {folder!r}: {problem.strerror}") from problem
    try:
        os.execvpe(argv[0], argv, environment)  # noqa: S606  # no shell: that is the point
    except FileNotFoundError:
        raise OSError(f'exec: "{argv[0]}": executable file not found') from None
    except OSError as problem:
        raise OSError(f'exec: "{argv[0]}": {problem.strerror}') from problem


def _children(parent: int) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir() if sys.platform == "linux" else ():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[1]) == parent and fields[0] != "Z":
                found.append(int(entry.name))
    return found


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1]))
    except OSError as problem:
        sys.stdout.write(f"{problem}\n")
        sys.exit(1)
