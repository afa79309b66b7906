"""Runs the programs that fetch and build: output to a log, the end of it in the error, none left behind."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

from local.toolchain import cache

_running: set[subprocess.Popen[bytes]] = set()
_lock = threading.RLock()  # a signal handler of the same thread takes it too


class CommandFailed(Exception):
    """A program that ended badly: its name, its exit code and the last of what it said."""


def run(
    argv: Sequence[str | Path],
    *,
    log: str,
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
    seconds: float = 1800,
    may_fail: bool = False,
) -> None:
    """Run a program to its end, output to ``<cache>/log/<log>.log``.

    environment: added to ours. may_fail: its exit code says nothing. Raises CommandFailed.
    """
    path = cache.root() / "log" / f"{log}.log"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as output:
        try:
            process = subprocess.Popen(
                [str(each) for each in argv],
                env={**os.environ, **(environment or {})},
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        except OSError as error:
            raise CommandFailed(f"{argv[0]}: {error.strerror}") from None
        with _lock:
            _running.add(process)
        try:
            code = process.wait(seconds)
        except subprocess.TimeoutExpired:
            _end(process)
            raise CommandFailed(f"{Path(str(argv[0])).name} took longer than {seconds:.0f} s (log: {path})") from None
        except BaseException:
            _end(process)
            raise
        finally:
            with _lock:
                _running.discard(process)
    if code and not may_fail:
        last = [line for line in path.read_text(errors="replace").splitlines() if line.strip()][-6:]
        shown = "\n".join(line[:300] for line in last)
        raise CommandFailed(f"{Path(str(argv[0])).name} ended with {code} (log: {path}):\n{shown}")


def output(argv: Sequence[str | Path], seconds: float = 10) -> str:
    """What a program prints when asked about itself, both streams; empty when it can't be run."""
    try:
        done = subprocess.run(
            [str(each) for each in argv],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
            env={**os.environ, "PULUMI_SKIP_UPDATE_CHECK": "true", "GOTOOLCHAIN": "local"},
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout + done.stderr if done.returncode == 0 else ""


def end_all() -> None:
    """End every program under way, with its children: we were asked to stop.

    Does not wait for them: it runs in a signal handler, maybe while the same thread holds Popen's lock.
    """
    with _lock:
        for process in _running:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def _end(process: subprocess.Popen[bytes]) -> None:
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return
    process.wait()
