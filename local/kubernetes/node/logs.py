"""Container output read back for ``kubectl logs``: tail, since, timestamps, follow, over rotated files."""

from __future__ import annotations

import asyncio
import datetime
import os
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from local.kubernetes.node.output import KEPT_FILES


@dataclass(frozen=True)
class Selection:
    """What of a log is wanted.

    tail: last lines, None for all. since: not before this time. limit: at most this many bytes.
    """

    tail: int | None = None
    since: datetime.datetime | None = None
    timestamps: bool = False
    limit: int | None = None


def tail(path: Path, lines: int) -> str:
    """The last lines as text."""
    return b"".join(read(path, Selection(tail=lines))).decode(errors="replace")


def read(path: Path, selection: Selection) -> list[bytes]:
    """The selected lines of a log and the files it was rotated to."""
    newest = path.read_bytes() if path.exists() else b""
    return _chosen([*_older(path), *_entries(newest)], selection)


def _chosen(entries: list[bytes], selection: Selection) -> list[bytes]:
    if selection.since is not None:
        entries = [each for each in entries if _time(each) >= selection.since]
    if selection.tail is not None:
        entries = entries[-selection.tail :] if selection.tail else []
    return [_render(each, timestamps=selection.timestamps) for each in entries]


async def follow(path: Path, selection: Selection, running: Callable[[], bool]) -> AsyncIterator[bytes]:
    """The selected lines, then new ones while the container runs. Raises FileNotFoundError without a log."""
    file = path.open("rb")
    try:
        whole, _, rest = file.read().rpartition(b"\n")
        for line in _chosen([*_older(path), *_entries(whole)], selection):
            yield line
        while True:
            alive = running()  # asked first: what was written before its end is read below
            data = file.read(1 << 20)
            *lines, rest = (rest + data).split(b"\n")
            for line in lines:
                yield _render(line, timestamps=selection.timestamps)
            if data:
                continue
            if _replaced(path, file):
                file.close()
                file = path.open("rb")
            elif not alive:
                return
            else:
                await asyncio.sleep(0.2)
    finally:
        file.close()


def _replaced(path: Path, file: BinaryIO) -> bool:
    """Whether the log was rotated since the file was opened."""
    return path.exists() and path.stat().st_ino != os.fstat(file.fileno()).st_ino


def _older(path: Path) -> list[bytes]:
    """Entries of the files that a log was rotated to, oldest first."""
    names = [f"{path.name}.{number}" for number in range(KEPT_FILES - 1, 0, -1)]
    files = [path.with_name(name) for name in names if path.with_name(name).exists()]
    return [entry for file in files for entry in _entries(file.read_bytes())]


def _entries(data: bytes) -> list[bytes]:
    return [each for each in data.split(b"\n") if each]


def _time(entry: bytes) -> datetime.datetime:
    return datetime.datetime.fromisoformat(entry[:26].decode() + "+00:00")


def _render(entry: bytes, *, timestamps: bool) -> bytes:
    time, _, tag, text = entry.split(b" ", 3)
    end = b"\n" if tag == b"F" else b""
    return time + b" " + text + end if timestamps else text + end
