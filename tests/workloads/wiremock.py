"""A bank that nobody here wrote: WireMock serving a recording. Skips where recording, Java or jar is missing."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from local.instance import REPOSITORY

VERSION = "3.13.2"
_COORDINATES = f"org.wiremock:wiremock-standalone:{VERSION}"
SPECS = REPOSITORY.parent / "shared" / "specs"
STUBS = SPECS / "bank-stubs"


def _cache() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(os.environ.get("TRIBUTARY_CACHE") or Path(base) / "tributary")


def _jar() -> Path:
    """The jar: as the instance's tools name it, else from the cache, else from Maven once."""
    tools = Path(os.environ.get("TRIBUTARY_STATE") or REPOSITORY / ".local") / "tools.json"
    named = json.loads(tools.read_text()).get("wiremock") if tools.exists() else None
    if named and Path(named).exists():
        return Path(named)
    folder = _cache() / f"wiremock-{VERSION}"
    jar = folder / f"wiremock-standalone-{VERSION}.jar"
    if not jar.exists():
        if not shutil.which("mvn"):
            pytest.skip(f"WireMock's jar is not in {folder} and there is no mvn to get it")
        command = ["mvn", "-q", "-B", "dependency:copy", f"-Dartifact={_COORDINATES}", f"-DoutputDirectory={folder}"]
        try:
            subprocess.run(command, check=True, capture_output=True, timeout=180, cwd="/")
        except (subprocess.SubprocessError, OSError) as error:
            pytest.skip(f"WireMock's jar could not be had from Maven: {type(error).__name__}")
    return jar


@dataclass(frozen=True)
class Recording:
    """A bank's recording being served. request: what the recorded consent request looks like."""

    url: str
    request: dict[str, Any]

    def received(self) -> list[dict[str, Any]]:
        """Every request so far, oldest first, with whether the recording knew an answer."""
        journal = httpx.get(f"{self.url}/__admin/requests", timeout=10).json()["requests"]
        return [{**each["request"], "matched": each["wasMatched"]} for each in reversed(journal)]


@contextmanager
def recording(bank: str, folder: Path, only: str) -> Iterator[Recording]:
    """Serve a bank's recording. only: the stem of the recorded consent request, e.g. "ais-create-consent-redirect"."""
    source = STUBS / bank
    if not source.is_dir():
        pytest.skip(f"the recordings are not at {STUBS}")
    java = shutil.which("java")
    if java is None:
        pytest.skip("java is not on PATH")
    jar = _jar()
    root = folder / bank
    shutil.copytree(source / "mappings", root / "mappings", copy_function=shutil.copy)
    (root / "__files").mkdir(exist_ok=True)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [java, "-Xmx128m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-jar", str(jar)]
    command += ["--port", str(port), "--bind-address", "127.0.0.1", "--root-dir", str(root)]
    command += ["--global-response-templating", "--disable-banner"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}"
    try:
        _wait(url, process)
        recorded = json.loads((source / "mappings" / f"{only}.json").read_text())["request"]
        yield Recording(url, recorded)
    finally:
        process.terminate()
        process.wait(10)


def _wait(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if httpx.get(f"{url}/__admin/mappings", timeout=1).status_code == 200:
                return
        except httpx.HTTPError:
            time.sleep(0.1)
    raise RuntimeError("WireMock did not come up within 60 s")
