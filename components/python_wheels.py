"""Python wheels: the packages that an app on Azure's Linux needs, put together on whatever machine deploys it."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

_PLATFORM = "x86_64-manylinux_2_28"
_SECONDS = 600


def install(requirements: bytes, constraints: bytes, python: str) -> Iterator[tuple[str, bytes]]:
    """Every file of the packages, by its path among them.

    requirements, constraints: pip's files, the first of which names the second. python: version that the app runs on.
    Only wheels are taken: nothing is built, and no package's code runs here. Raises RuntimeError.
    """
    with tempfile.TemporaryDirectory() as folder:
        place, target = Path(folder), Path(folder) / "packages"
        (place / "requirements.txt").write_bytes(requirements)
        (place / "constraints.txt").write_bytes(constraints)
        command = [
            sys.executable, "-m", "uv", "pip", "install", "--quiet", "--only-binary", ":all:",
            "--python-platform", _PLATFORM, "--python-version", python, "--target", str(target),
            "--requirements", "requirements.txt",
        ]  # fmt: skip
        try:
            done = subprocess.run(command, cwd=place, capture_output=True, text=True, timeout=_SECONDS, check=False)
        except subprocess.TimeoutExpired:
            raise RuntimeError(
                f"The function app's packages were not there after {_SECONDS} s. Is the package index slow?"
            ) from None
        if done.returncode:
            raise RuntimeError(
                f"The function app's packages can't be had: {' '.join(done.stderr.split())[-600:]} "
                "Does this machine reach a package index (UV_DEFAULT_INDEX names another)?"
            )
        for path in sorted(target.rglob("*")):
            name = path.relative_to(target)
            # Programs and uv's own lock are of no use there.
            if path.is_file() and name.parts[0] not in ("bin", ".lock"):
                yield name.as_posix(), path.read_bytes()
