"""One command at a time on an instance, and errors told to a person instead of a traceback."""

from __future__ import annotations

import fcntl
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

from local.commands.engine import EngineFailed, StackLocked
from local.commands.environment import NotRunning
from local.instance import Instance
from local.supervision.ports import PortTaken
from local.supervision.supervisor import SupervisionError

_TOLD = (EngineFailed, StackLocked, NotRunning, PortTaken, SupervisionError, RuntimeError, ValueError)


class Busy(RuntimeError):
    """Another command works on this instance."""


@contextmanager
def alone(instance: Instance) -> Iterator[None]:
    """Hold the instance against other commands; the hold goes with the process. Raises Busy."""
    instance.state.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (instance.state / "command.lock").open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise Busy(
                f"Another command (process {file.read().strip() or 'unknown'}) works on {instance.state}. Wait for it."
            ) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


def command(run: Callable[[], None]) -> NoReturn:
    """Run a command to its end: exit code 0, 1 with one clear error, or 130 when interrupted."""
    for name in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(name, _interrupted)
    try:
        run()
    except KeyboardInterrupt:
        _end(130, "\nInterrupted. Run the same command again: it goes on where it was.\n")
    except EngineFailed as error:
        _end(1, f"\n{error}\n" + (f"{error.output}\n" if error.output else ""))
    except _TOLD as error:
        _end(1, f"\n{error}\n")
    sys.exit(0)


def _interrupted(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _end(code: int, text: str) -> NoReturn:
    sys.stderr.write(text)
    sys.stderr.flush()
    os._exit(code)  # threads that wait for a daemon must not keep an interrupted command alive
