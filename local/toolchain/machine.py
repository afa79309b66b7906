"""What only the machine's own package manager can give: installed where we may, else named with its one command."""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
import sysconfig
from collections.abc import Mapping, Sequence
from pathlib import Path
from threading import Lock

from local.toolchain.errors import ToolchainError
from local.toolchain.process import CommandFailed, run

_COMPILER = {
    "apt-get": ("gcc", "libc6-dev", "python3-dev"),
    "dnf": ("gcc", "glibc-devel", "python3-devel"),
    "brew": ("gcc",),
}
_VENV = {
    "apt-get": (f"python3.{sys.version_info.minor}-venv",),
    "dnf": ("python3-pip",),
    "brew": ("python",),
}

_CSHARP = {"apt-get": ("mono-mcs", "mono-runtime"), "dnf": ("mono-core",), "brew": ("mono",)}
_ONE_AT_A_TIME = Lock()
"""Package managers let nobody in beside them."""


def need_venv() -> None:
    """`python -m venv` needs ensurepip, which Debian ships as a package of its own. Raises ToolchainError."""
    if importlib.util.find_spec("ensurepip") is None:
        _provide("Python's venv module with ensurepip", _VENV)
        importlib.invalidate_caches()


def need_compiler() -> None:
    """A C compiler and Python's headers, for a package without a wheel (python-qpid-proton). Raises ToolchainError."""
    if shutil.which("cc") and (Path(sysconfig.get_path("include")) / "Python.h").exists():
        return
    _provide("a C compiler with Python's headers", _COMPILER)


def csharp() -> dict[str, Path]:
    """A C# compiler and what runs its programs: mono, 25 MB, for the gateway's expressions. Raises ToolchainError."""
    if not (shutil.which("mcs") and shutil.which("mono")):
        _provide("mono with its C# compiler", _CSHARP)
    return {name: Path(found) for name in ("mcs", "mono") if (found := shutil.which(name))}


def install_command(packages: Mapping[str, Sequence[str]]) -> list[str] | None:
    """The one command of this machine's package manager that installs them; None when it is none we know."""
    for manager, names in packages.items():
        if shutil.which(manager):
            return [manager, "install", *(["-y"] if manager != "brew" else []), *names]
    return None


def _provide(what: str, packages: Mapping[str, Sequence[str]]) -> None:
    command = install_command(packages)
    if command is None:
        raise ToolchainError(f"{what} is needed and not there; install it with this machine's package manager.")
    by_hand = ToolchainError(f"{what} is needed and not there. What to do: sudo {' '.join(command)}")
    if os.geteuid() != 0 or command[0] != "apt-get":
        raise by_hand
    try:
        quiet = {"DEBIAN_FRONTEND": "noninteractive"}
        with _ONE_AT_A_TIME:
            run(["apt-get", "update"], log="apt", environment=quiet)
            run(command, log="apt", environment=quiet)
    except CommandFailed as error:
        raise ToolchainError(f"{by_hand} (tried it: {error})") from None
