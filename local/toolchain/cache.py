"""The cache of tools: each lies there whole or not at all, however an installation was interrupted."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

SCRATCH = ".{name}.building-"
"""How the folder of an installation under way begins; its process id follows."""


def root() -> Path:
    """The cache folder: TRIBUTARY_CACHE, else tributary in the user's cache folder (XDG base directories)."""
    chosen = os.environ.get("TRIBUTARY_CACHE")
    if chosen:
        return Path(chosen).absolute()
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path("~").expanduser() / ".cache") / "tributary"


@contextmanager
def locked(name: str) -> Iterator[None]:
    """Hold a name against every other process; the lock goes with the process, so a killed one leaves none."""
    path = root() / "locks" / name.replace("/", "-")
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def install(name: str, build: Callable[[Path], None]) -> Path:
    """The folder ``<cache>/<name>``; ``build`` fills a scratch folder that becomes it in one rename.

    Whoever comes second waits and finds it there; what a killed build left behind is removed.
    """
    target = root() / name
    if target.exists():
        return target
    with locked(name):
        if target.exists():
            return target
        target.parent.mkdir(parents=True, exist_ok=True)
        prefix = SCRATCH.format(name=target.name)
        for stale in target.parent.glob(f"{prefix}*"):
            shutil.rmtree(stale, ignore_errors=True)
        scratch = target.with_name(f"{prefix}{os.getpid()}")
        scratch.mkdir()
        try:
            build(scratch)
            scratch.rename(target)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
    return target


def write(path: Path, text: str) -> None:
    """Write a file whole or not at all; leaves it untouched when it already says so."""
    if path.exists() and path.read_text() == text:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_name(f".{path.name}.{os.getpid()}")
    scratch.write_text(text)
    scratch.replace(path)
