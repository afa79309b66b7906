"""Python packages: uv, the project's virtual environment, and tools that PyPI carries as wheels."""

from __future__ import annotations

import hashlib
import os
import platform
import re
import shutil
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from local.toolchain import cache, machine, versions
from local.toolchain.errors import ToolchainError, could_not_get
from local.toolchain.process import CommandFailed, output, run

REPOSITORY = Path(__file__).resolve().parents[2]
REQUIREMENTS = (
    "requirements.txt",
    "workloads/requirements.txt",
    "workloads/functions/requirements.txt",
    "local/requirements.txt",
    "tests/requirements.txt",
)
CONSTRAINTS = "constraints.txt"
_UNUSED_SECONDS = 14 * 86400
_REMEDY = (
    "let this machine reach a Python package index: HTTPS_PROXY=http://<proxy>:<port> for a proxy, "
    "PIP_INDEX_URL=https://<mirror>/simple for a mirror, SSL_CERT_FILE=<roots.pem> for a company's own roots; "
    "then run the same command again."
)
_COMPILER = "(gcc|cc|clang|pkg-config|openssl)"
_NEEDS_COMPILER = re.compile(
    rf"\b{_COMPILER}\b[^\n]*(not found|No such file|failed)|No such file or directory: '[^'\n]*{_COMPILER}'",
    re.IGNORECASE,
)


def uv() -> Path:
    """The uv program, from PyPI. Raises ToolchainError."""
    folder = f"uv-{versions.UV}"
    program = cache.root() / folder / "bin" / "uv"
    if not program.exists():
        cache.install(folder, _install_uv)
    return program


def _install_uv(scratch: Path) -> None:
    machine.need_venv()
    try:
        run([sys.executable, "-m", "venv", scratch], log="uv")
        command = [scratch / "bin" / "python", "-m", "pip", "install", "--disable-pip-version-check"]
        run([*command, "--retries=1", f"uv=={versions.UV}"], log="uv")
    except CommandFailed as error:
        raise could_not_get(f"uv {versions.UV} (Python's package installer)", [f"pip: {error}"], _REMEDY) from None


def uv_environment() -> dict[str, str]:
    """uv takes pip's settings from nowhere; whoever set pip up for a mirror is served by the same mirror."""
    settings = {"UV_NO_PROGRESS": "1", "UV_PYTHON_DOWNLOADS": "never"}
    if "UV_CACHE_DIR" not in os.environ:
        settings["UV_CACHE_DIR"] = str(cache.root() / "uv")
    translated = {"index-url": "UV_DEFAULT_INDEX", "extra-index-url": "UV_INDEX", "find-links": "UV_FIND_LINKS"}
    listed = output([cache.root() / f"uv-{versions.UV}" / "bin" / "python", "-m", "pip", "config", "list"])
    for line in listed.splitlines():
        name, _, value = line.partition("=")
        ours = translated.get(name.rpartition(".")[2])
        value = value.strip("'\"").replace("\\n", " ")
        if ours and ours not in os.environ:
            settings[ours] = value.replace(" ", ",") if ours == "UV_FIND_LINKS" else value
    return settings


def environment_folder() -> Path:
    """Where the virtual environment of today's requirements lies, for this interpreter."""
    digest = hashlib.sha256(f"{sys.version_info[:2]} {platform.system()} {platform.machine()}".encode())
    for name in (*REQUIREMENTS, CONSTRAINTS):
        path = REPOSITORY / name
        digest.update(path.read_bytes() if path.exists() else b"")
    return cache.root() / "venv" / digest.hexdigest()[:16]


def environment_python() -> Path | None:
    """The interpreter of the virtual environment when that is complete."""
    folder = environment_folder()
    return folder / "bin" / "python" if (folder / ".complete").exists() else None


def environment() -> Path:
    """The interpreter of the virtual environment, made when it is not there. Raises ToolchainError.

    Scripts in an environment hold its absolute path, so it is built in place and marked when complete; an
    interrupted one is continued.
    """
    ready = environment_python()
    if ready is None:
        with cache.locked(f"venv-{environment_folder().name}"):
            ready = environment_python() or _build_environment(environment_folder())
    os.utime(environment_folder() / ".complete")
    _prune(environment_folder().parent)
    return ready


def _build_environment(folder: Path) -> Path:
    files = [argument for name in REQUIREMENTS for argument in ("-r", str(REPOSITORY / name))]
    if (REPOSITORY / CONSTRAINTS).exists():
        files += ["-c", str(REPOSITORY / CONSTRAINTS)]
    python = folder / "bin" / "python"
    try:
        program = uv()
        if not python.exists():
            shutil.rmtree(folder, ignore_errors=True)
            run(
                [program, "venv", "--seed", "--python", sys.executable, folder],
                log="venv",
                environment=uv_environment(),
            )
        _with_compiler([program, "pip", "install", "--python", str(python), *files], "venv")
    except (CommandFailed, ToolchainError) as first:
        try:
            machine.need_venv()
            run([sys.executable, "-m", "venv", "--clear", folder], log="venv-pip")
            run([python, "-m", "pip", "install", "--retries=1", *files], log="venv-pip")
        except CommandFailed as second:
            tried = [f"uv: {first}", f"pip: {second}"]
            remedy = _REMEDY + " If the pins contradict each other, `make constraints` writes them anew."
            raise could_not_get("the project's Python packages (*/requirements.txt)", tried, remedy) from None
    _compile(python, folder)
    (folder / ".complete").touch()
    return python


def _compile(python: Path, folder: Path) -> None:
    """Compile the packages ahead: a pod's account can't write here, and its start takes half as long so.

    Pulumi's generated SDKs are left out: they are vast, and a program loads little of them.
    """
    skipped = "pulumi_azure_native|pulumi_kubernetes"
    run([python, "-m", "compileall", "-q", "-j", "0", "-x", skipped, folder / "lib"], log="compile", may_fail=True)


def needs_compiler(output: str) -> bool:
    """Whether an installation's last words say that a compiler is missing, whoever says it (setuptools, a shell)."""
    return bool(_NEEDS_COMPILER.search(output))


def _with_compiler(command: Sequence[str | Path], log: str) -> None:
    """Run an installation; when it fails for want of a compiler, get one and try once more."""
    try:
        run(command, log=log, environment=uv_environment())
    except CommandFailed as error:
        if not needs_compiler(str(error)):
            raise
        machine.need_compiler()
        run(command, log=log, environment=uv_environment())


def _prune(folder: Path) -> None:
    """Remove environments of requirements that nobody has used for a fortnight."""
    for marker in folder.glob("*/.complete"):
        if time.time() - marker.stat().st_mtime > _UNUSED_SECONDS:
            shutil.rmtree(marker.parent, ignore_errors=True)


def wheel(package: str, version: str) -> Path:
    """A folder with the content of one wheel, its dependencies left out. Raises ToolchainError."""

    def build(scratch: Path) -> None:
        command = [uv(), "pip", "install", "--no-deps", "--target", scratch, "--python", sys.executable]
        try:
            run([*command, f"{package}=={version}"], log=package, environment=uv_environment())
        except CommandFailed as error:
            raise could_not_get(f"{package} {version}", [f"PyPI: {error}"], _REMEDY) from None

    return cache.install(f"{package}-{version}", build)


def apart(name: str, pins: Sequence[str]) -> Path:
    """The interpreter of an environment that holds programs whose packages don't get on with ours.

    pins: "package==version". Kept in the cache by what it holds, made on first use; its programs are run as modules.
    Raises ToolchainError.
    """

    def build(scratch: Path) -> None:
        python = scratch / "bin" / "python"
        try:
            settings = uv_environment()
            run([uv(), "venv", "--python", sys.executable, scratch], log=name, environment=settings)
            run([uv(), "pip", "install", "--python", str(python), *pins], log=name, environment=settings)
        except CommandFailed as error:
            raise could_not_get(", ".join(pins), [f"PyPI: {error}"], _REMEDY) from None

    held = "-".join(pin.replace("==", "-") for pin in pins)
    release = f"{sys.version_info[0]}.{sys.version_info[1]}"
    return cache.install(f"{name}/{held}-python{release}", build) / "bin" / "python"


def compile_constraints() -> None:
    """Write constraints.txt: every package that the requirements pull in, pinned, for all platforms."""
    inputs = [str(REPOSITORY / name) for name in REQUIREMENTS]
    header = "make constraints"
    command = [uv(), "pip", "compile", "--universal", "--python-version", "3.11", "--no-annotate", "--upgrade", *inputs]
    environment = uv_environment() | {"UV_CUSTOM_COMPILE_COMMAND": header}
    run([*command, "-o", REPOSITORY / CONSTRAINTS], log="constraints", environment=environment, folder=REPOSITORY)
