"""Files of an image: the same archive for the same files, whatever their times, owners and order."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator, Sequence
from pathlib import Path

_LEFT_OUT = {"__pycache__", ".DS_Store"}


def archive(root: Path, sources: Sequence[str], below: str = "") -> bytes:
    """A tar of files and folders below ``root``, which keep their path, below a folder of the archive.

    Raises FileNotFoundError for a source that is not there, ValueError for a link, which another machine may not have.
    """
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for path in listed(root, sources):
            info = tarfile.TarInfo(f"{below}/{path}" if below else path)
            content = (root / path).read_bytes()
            info.size = len(content)
            info.mode = 0o755 if (root / path).stat().st_mode & 0o100 else 0o644
            tar.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def listed(root: Path, sources: Sequence[str]) -> list[str]:
    """The files of sources, by relative path, in order. Raises FileNotFoundError and ValueError as ``archive``."""
    return sorted(set(_files(root, sources)))


def _files(root: Path, sources: Sequence[str]) -> Iterator[str]:
    for source in sources:
        start = root / source
        if not start.exists():
            raise FileNotFoundError(f"{source!r} is not below {root}; an image is made of existing files and folders.")
        for path in [start] if start.is_file() else sorted(start.rglob("*")):
            if path.is_symlink():
                raise ValueError(f"{path} is a link; an image is made of files. Put the file itself there.")
            if path.is_file() and not _LEFT_OUT & set(path.parts) and path.suffix != ".pyc":
                yield path.relative_to(root).as_posix()
