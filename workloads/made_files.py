"""Files in docs that are made from code: writes them, or says which are not as they would be written."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def differences(files: Mapping[Path, str], root: Path) -> list[str]:
    """The files that are not as they would be written, and those of nothing. files: of one folder, all of one kind."""
    wrong = [p for p, text in files.items() if not (root / p).is_file() or (root / p).read_text() != text]
    first = next(iter(files))
    there = [p.relative_to(root) for p in (root / first.parent).glob(f"*{first.suffix}")]
    return sorted(map(str, [*wrong, *(p for p in there if p not in files)]))


def write_or_check(module: str, about: str | None, written: Callable[[], Mapping[Path, str]]) -> int:
    """Write the files; with --check only say which differ. The exit code: 1 when checked files differ."""
    parser = argparse.ArgumentParser(prog=f"python -m {module}", description=about)
    parser.add_argument("--check", action="store_true", help="write nothing")
    checked, files = parser.parse_args().check, written()
    if checked:
        wrong = differences(files, ROOT)
        print("\n".join(f"not as the code says: {each}" for each in wrong))
        return 1 if wrong else 0
    for path, text in files.items():
        (ROOT / path).parent.mkdir(parents=True, exist_ok=True)
        (ROOT / path).write_text(text)
    return 0
