"""Container output read back for ``kubectl logs``: tail, since, timestamps, follow, over rotated files."""

from __future__ import annotations

import asyncio
import datetime
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

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
    entries = [entry for file in _files(path) for entry in _entries(file.read_bytes())]
    if selection.since is not None:
        entries = [each for each in entries if _time(each) >= selection.since]
    if selection.tail is not None:
        entries = entries[-selection.tail :] if selection.tail else []
    return [_render(each, timestamps=selection.timestamps) for each in entries]


async def follow(path: Path, selection: Selection, running: Callable[[], bool]) -> AsyncIterator[bytes]:
    """The selected lines, then new ones while the container runs."""
    position = path.stat().st_size if path.exists() else 0
    for line in read(path, selection):
        yield line
    rest = b""
    while True:
        alive = running()
        data, position = _news(path, position)
        pieces = (rest + data).split(b"\n")
        rest = pieces.pop()
        for piece in pieces:
            yield _render(piece, timestamps=selection.timestamps)
        if not alive and not data:
            return
        if not data:
            await asyncio.sleep(0.2)


def _news(path: Path, position: int) -> tuple[bytes, int]:
    if not path.exists():
        return b"", position
    if path.stat().st_size < position:  # rotated: what is unread stands at the end of the older file
        older = path.with_name(f"{path.name}.1")
        data = older.read_bytes()[position:] if older.exists() else b""
        return data, 0
    with path.open("rb") as file:
        file.seek(position)
        data = file.read(1 << 20)
    return data, position + len(data)


def _files(path: Path) -> Iterator[Path]:
    for number in range(KEPT_FILES - 1, 0, -1):
        older = path.with_name(f"{path.name}.{number}")
        if older.exists():
            yield older
    if path.exists():
        yield path


def _entries(data: bytes) -> list[bytes]:
    return [each for each in data.split(b"\n") if each]


def _time(entry: bytes) -> datetime.datetime:
    return datetime.datetime.fromisoformat(entry[:26].decode() + "+00:00")


def _render(entry: bytes, *, timestamps: bool) -> bytes:
    time, _, tag, text = entry.split(b" ", 3)
    end = b"\n" if tag == b"F" else b""
    return time + b" " + text + end if timestamps else text + end
