"""What of the machine's own programs fits: found on PATH, asked for its version, the answer remembered."""

from __future__ import annotations

import json
import os
import re
import shutil
import threading
from collections.abc import Sequence
from pathlib import Path

from local.toolchain import cache
from local.toolchain.process import output

Version = tuple[int, ...]
_lock = threading.Lock()


def version_of(program: Path, arguments: Sequence[str]) -> Version | None:
    """The first version number that a program prints, e.g. (1, 34, 2); None when it prints none or can't be run.

    Asked once for each program file: its path, size and time are the key.
    """
    try:
        status = program.stat()
    except OSError:
        return None
    key = f"{program} {' '.join(arguments)} {status.st_size} {status.st_mtime_ns}"
    known = cache.root() / "versions.json"
    with _lock:
        answers = _read(known)
    if key not in answers:
        found = re.search(r"(\d+(?:\.\d+)+|(?<=\bv)\d+)", output([program, *arguments]))
        with _lock:
            answers = _read(known) | {key: found.group(1) if found else ""}
            cache.write(known, json.dumps(answers, indent=1))
    return tuple(int(part) for part in answers[key].split(".")) if answers[key] else None


def on_path(name: str) -> list[Path]:
    """Every program of a name on PATH, in its order, launchers of ours left out."""
    found = []
    for folder in os.environ.get("PATH", "").split(os.pathsep):
        hit = shutil.which(name, path=folder) if folder else None
        if hit and not (Path(folder).parent / "instance.json").exists():
            found.append(Path(hit))
    return found


def shown(version: Version | None) -> str:
    """A version as a person writes it."""
    return ".".join(map(str, version)) if version else "of unknown version"


def _read(path: Path) -> dict[str, str]:
    try:
        return json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
