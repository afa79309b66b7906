"""A container's output as the kubelet keeps it (CRI log format), rotated by size. Standard library only."""

from __future__ import annotations

import datetime
from pathlib import Path

MAXIMUM_BYTES = 10 * 1024 * 1024
KEPT_FILES = 3
_LONGEST_LINE = 16 * 1024


class Output:
    """Writes ``<time> <stream> <F|P> <line>`` lines; P marks a piece of a line longer than 16 KiB."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.file = path.open("ab", buffering=0)
        self.size = path.stat().st_size
        self.pieces = {"stdout": b"", "stderr": b""}

    def write(self, stream: str, data: bytes) -> None:
        """Take what a stream delivered; whole lines are written at once."""
        lines = (self.pieces[stream] + data).split(b"\n")
        self.pieces[stream] = lines.pop()
        batch = [self._entry(stream, b"F", line) for line in lines]
        while len(self.pieces[stream]) >= _LONGEST_LINE:
            piece, self.pieces[stream] = self.pieces[stream][:_LONGEST_LINE], self.pieces[stream][_LONGEST_LINE:]
            batch.append(self._entry(stream, b"P", piece))
        self._append(b"".join(batch))

    def flush(self) -> None:
        """Write a last line that has no newline."""
        for stream, rest in self.pieces.items():
            if rest:
                self._append(self._entry(stream, b"F", rest))
        self.pieces = {"stdout": b"", "stderr": b""}

    def _entry(self, stream: str, tag: bytes, line: bytes) -> bytes:
        time = datetime.datetime.now(datetime.UTC).isoformat(timespec="microseconds").replace("+00:00", "000Z")
        return b"%s %s %s %s\n" % (time.encode(), stream.encode(), tag, line)

    def _append(self, data: bytes) -> None:
        if not data:
            return
        if self.size + len(data) > MAXIMUM_BYTES:
            self._rotate()
        try:
            self.file.write(data)
        except OSError:
            return  # a full disk must not take the container down
        self.size += len(data)

    def _rotate(self) -> None:
        self.file.close()
        for number in range(KEPT_FILES - 1, 0, -1):
            older = self.path.with_name(f"{self.path.name}.{number - 1}") if number > 1 else self.path
            if older.exists():
                older.replace(self.path.with_name(f"{self.path.name}.{number}"))
        self.file = self.path.open("ab", buffering=0)
        self.size = 0
