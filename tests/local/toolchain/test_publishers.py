"""What publishers offer is checked by their digests and unpacked to the programs; what is not theirs is refused."""

from __future__ import annotations

import hashlib
import io
import tarfile
import threading
from collections.abc import Iterator, Mapping
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from local.toolchain import downloads, golang, programs, versions
from local.toolchain.errors import ToolchainError

_MACHINE = f"{programs.SYSTEM}-{programs.MACHINE}"


class _Silent(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base's name for it
        """Says nothing."""


@pytest.fixture
def publisher(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder that stands for every publisher's host: `<folder>/<host>/<path>` is what a URL answers."""
    offers = tmp_path / "offers"
    offers.mkdir()
    monkeypatch.setenv("TRIBUTARY_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    monkeypatch.setattr(downloads, "_unreachable", {})
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Silent, directory=str(offers))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        here = f"http://127.0.0.1:{server.server_port}/"
        fetch = downloads.urllib.request.urlopen

        def redirected(url: str, timeout: float) -> object:
            return fetch(url.replace("https://", here), timeout=timeout)

        monkeypatch.setattr(downloads.urllib.request, "urlopen", redirected)
        yield offers
        server.shutdown()


@pytest.fixture(autouse=True)
def _nothing_is_built(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise ToolchainError("no build here")

    monkeypatch.setattr(golang, "build", refuse)


def _put(path: Path, content: bytes) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return hashlib.sha256(content).hexdigest()


def _archive(files: Mapping[str, str]) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for name, text in files.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(text), 0o755
            archive.addfile(entry, io.BytesIO(text.encode()))
    return packed.getvalue()


def _etcd(offers: Path, *, digest: str | None = None) -> None:
    base = offers / f"github.com/etcd-io/etcd/releases/download/v{versions.ETCD}"
    name = f"etcd-v{versions.ETCD}-{_MACHINE}"
    real = _put(base / f"{name}.tar.gz", _archive({f"{name}/etcd": "the real etcd"}))
    _put(base / "SHA256SUMS", f"{'0' * 64}  etcd-other.zip\n{digest or real}  {name}.tar.gz\n".encode())


def test_pulumis_archive_becomes_the_engine_and_what_lies_beside_it(publisher: Path) -> None:
    machine = {"amd64": "x64"}.get(programs.MACHINE, programs.MACHINE)
    name = f"pulumi-v{versions.PULUMI}-{programs.SYSTEM}-{machine}.tar.gz"
    files = {"pulumi/pulumi": "engine", "pulumi/pulumi-language-python": "host"}
    _put(publisher / "get.pulumi.com/releases/sdk" / name, _archive(files))
    engine = programs.get(programs.PULUMI)["pulumi"]
    assert engine.read_text() == "engine"
    assert (engine.parent / "pulumi-language-python").read_text() == "host"


def test_every_program_of_the_control_plane_is_held_to_its_published_digest(publisher: Path) -> None:
    base = publisher / f"dl.k8s.io/release/v{versions.KUBERNETES}/bin/{programs.SYSTEM}/{programs.MACHINE}"
    for name in programs.KUBERNETES.programs:
        _put(base / f"{name}.sha256", _put(base / name, name.encode()).encode())
    found = programs.get(programs.KUBERNETES)
    assert {name: path.read_text() for name, path in found.items()} == {name: name for name in found}
    assert all(path.stat().st_mode & 0o111 for path in found.values())


def test_etcd_is_found_by_its_line_in_the_list_of_digests(publisher: Path) -> None:
    _etcd(publisher)
    assert programs.get(programs.ETCD)["etcd"].read_text() == "the real etcd"


def test_an_archive_with_another_digest_is_not_used(publisher: Path) -> None:
    _etcd(publisher, digest="f" * 64)
    with pytest.raises(ToolchainError, match=f"its SHA-256 is not the published {'f' * 64}"):
        programs.get(programs.ETCD)


def test_the_registrys_archive_holds_it_at_the_top(publisher: Path) -> None:
    base = publisher / f"github.com/distribution/distribution/releases/download/v{versions.REGISTRY}"
    name = f"registry_{versions.REGISTRY}_{programs.SYSTEM}_{programs.MACHINE}.tar.gz"
    digest = _put(base / name, _archive({"registry": "the registry", "LICENSE": ""}))
    _put(base / f"{name}.sha256", f"{digest}  {name}\n".encode())
    assert programs.get(programs.REGISTRY)["registry"].read_text() == "the registry"


def test_half_an_archive_is_refused(publisher: Path) -> None:
    base = publisher / f"github.com/distribution/distribution/releases/download/v{versions.REGISTRY}"
    name = f"registry_{versions.REGISTRY}_{programs.SYSTEM}_{programs.MACHINE}.tar.gz"
    digest = _put(base / name, _archive({"registry": "x" * 9000})[:-40])
    _put(base / f"{name}.sha256", f"{digest}  {name}\n".encode())
    with pytest.raises(ToolchainError, match="not a whole archive"):
        programs.get(programs.REGISTRY)
