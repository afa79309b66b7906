"""A bank that nobody here wrote: WireMock serving a recording. Skips where recording, Java or jar is missing."""

from __future__ import annotations

import json
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
from tests import programs

SPECS = REPOSITORY.parent / "shared" / "specs"
STUBS = SPECS / "bank-stubs"


@dataclass(frozen=True)
class Recording:
    """A bank's recording being served. request: what the recorded consent request looks like."""

    url: str
    request: dict[str, Any]
    mappings: dict[str, dict[str, Any]]
    """What is recorded, by the file's stem."""

    def received(self) -> list[dict[str, Any]]:
        """Every request so far, oldest first, with whether the recording knew an answer."""
        journal = httpx.get(f"{self.url}/__admin/requests", timeout=10).json()["requests"]
        return [{**each["request"], "matched": each["wasMatched"]} for each in reversed(journal)]

    def answer(self, request: dict[str, Any], response: dict[str, Any]) -> None:
        """Add an answer that the recording lacks."""
        mapping = {"request": request, "response": response}
        httpx.post(f"{self.url}/__admin/mappings", json=mapping, timeout=10).raise_for_status()

    def wanted(self, header: str, stem: str | None = None) -> str | None:
        """The value that a request (any, or that of one file) must have for a header, where one is fixed."""
        told = [each["request"] for name, each in self.mappings.items() if stem in (None, name)]
        found = [each.get("headers", {}).get(header, {}) for each in told]
        fixed = next((each["equalTo"] for each in found if "equalTo" in each), None)
        return fixed or (".+" if stem and any(found) else None)

    def given(self, *path: str) -> str | None:
        """What the recording expects of a person at a place of some request's body; None where it is not fixed."""
        for each in self.mappings.values():
            value: Any = self.body(each["request"])
            for name in path:
                value = value.get(name) if isinstance(value, dict) else None
            if isinstance(value, str):
                return value
        return None

    @staticmethod
    def body(request: dict[str, Any]) -> dict[str, Any]:
        """The body that a recorded request must equal."""
        for pattern in request.get("bodyPatterns", []):
            if "equalToJson" in pattern:
                told = pattern["equalToJson"]
                return json.loads(told.replace("\\\\", "")) if isinstance(told, str) else told
        return {}


@dataclass(frozen=True)
class WireMock:
    """One WireMock for all recordings: a Java process is dear. It serves one recording at a time."""

    url: str

    def serve(self, bank: str, only: str) -> Recording:
        """Serve a bank's recording, in the place of the one before.

        only: the stem of the recorded consent request, e.g. "ais-create-consent-redirect".
        """
        source = STUBS / bank / "mappings"
        if not source.is_dir():
            pytest.skip(f"the recording is not at {source}")
        mappings = {each.stem: json.loads(each.read_text()) for each in sorted(source.glob("*.json"))}
        with httpx.Client(base_url=f"{self.url}/__admin", timeout=10) as admin:
            admin.delete("/mappings").raise_for_status()
            admin.delete("/requests").raise_for_status()
            for each in mappings.values():
                admin.post("/mappings", json=each).raise_for_status()
        return Recording(self.url, mappings[only]["request"], mappings)


@contextmanager
def wiremock(folder: Path) -> Iterator[WireMock]:
    """A WireMock without recordings yet. Skips where recordings, Java or jar are missing."""
    if not STUBS.is_dir():
        pytest.skip(f"the recordings are not at {STUBS}")
    tools = programs.needed("java", "wiremock")
    (folder / "mappings").mkdir()
    (folder / "__files").mkdir()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [tools["java"], "-Xmx128m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-jar", tools["wiremock"]]
    command += ["--port", str(port), "--bind-address", "127.0.0.1", "--root-dir", str(folder)]
    command += ["--global-response-templating", "--disable-banner"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}"
    try:
        _wait(url, process)
        yield WireMock(url)
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
