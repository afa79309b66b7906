"""Pulumi, the Kubernetes control plane, etcd and the registry: PATH → official download → built with Go."""

from __future__ import annotations

import os
import platform
import shutil
import tarfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from local.toolchain import cache, golang, path, versions
from local.toolchain.downloads import DownloadFailed, fetch, published_digest
from local.toolchain.errors import ToolchainError, could_not_get
from local.toolchain.process import CommandFailed

SYSTEM = platform.system().lower()
MACHINE = {"x86_64": "amd64", "aarch64": "arm64", "arm64": "arm64"}.get(platform.machine(), platform.machine())


@dataclass(frozen=True, kw_only=True)
class Source:
    """Where a set of programs comes from.

    name: of the set, also of its Go module. version: what is downloaded or built.
    programs: program → its Go package. asks: program → the arguments that make it tell its version.
    fits: whether a version found on PATH will do; allowed: the same in words.
    download: fills a folder from the publisher; raises DownloadFailed. ldflags: what the build is stamped with.
    """

    name: str
    version: str
    programs: Mapping[str, str]
    asks: Mapping[str, Sequence[str]]
    fits: Callable[[path.Version], bool]
    allowed: str
    download: Callable[[Path], None]
    ldflags: str = ""


def get(source: Source) -> dict[str, Path]:
    """Program → absolute path. Raises ToolchainError, saying all that was tried."""
    found, misfits = _on_path(source)
    if len(found) == len(source.programs):
        return found

    def build(scratch: Path) -> None:
        tried = list(misfits)
        try:
            source.download(scratch)
            return
        except DownloadFailed as error:
            tried.append(f"download: {error}")
            for left in scratch.iterdir():
                shutil.rmtree(left) if left.is_dir() else left.unlink()
        try:
            golang.build(source.name, source.programs, source.ldflags, scratch)
        except (CommandFailed, ToolchainError) as error:
            proxy = os.environ.get("GOPROXY", "https://proxy.golang.org")
            tried.append(f"build with Go from the module proxy {proxy}: {error}")
            raise could_not_get(f"{', '.join(source.programs)} {source.version}", tried, _remedy(source)) from None

    folder = cache.install(f"{source.name}-{source.version}", build)
    return {name: folder / name for name in source.programs}


def _remedy(source: Source) -> str:
    return (
        f"put {' and '.join(source.programs)} {source.allowed} on PATH, or let this machine reach a Go module proxy "
        "(GOPROXY=https://<mirror>, HTTPS_PROXY=http://<proxy>:<port>); then run the same command again."
    )


def _on_path(source: Source) -> tuple[dict[str, Path], list[str]]:
    found: dict[str, Path] = {}
    misfits = []
    for name in source.programs:
        candidates = path.on_path(name)
        for candidate in candidates:
            version = path.version_of(candidate, source.asks[name])
            if version is not None and source.fits(version):
                found[name] = candidate
                break
            misfits.append(f"{candidate}: {path.shown(version)}; {source.allowed} is needed")
        if not candidates:
            misfits.append(f"PATH: no {name}")
    return found, misfits


def _download_pulumi(folder: Path) -> None:
    machine = {"amd64": "x64"}.get(MACHINE, MACHINE)
    _archive(f"https://get.pulumi.com/releases/sdk/pulumi-v{versions.PULUMI}-{SYSTEM}-{machine}.tar.gz", folder)
    # The archive has one folder "pulumi"; its programs belong beside each other, the CLI of the same name among them.
    (folder / "pulumi").rename(folder / "archive")
    for each in (folder / "archive").iterdir():
        each.rename(folder / each.name)
    (folder / "archive").rmdir()


def _download_kubernetes(folder: Path) -> None:
    base = f"https://dl.k8s.io/release/v{versions.KUBERNETES}/bin/{SYSTEM}/{MACHINE}"
    for name in KUBERNETES.programs:
        digest = published_digest(f"{base}/{name}.sha256", folder / "digest")
        fetch(f"{base}/{name}", folder / name, sha256=digest)
        (folder / name).chmod(0o755)


def _download_etcd(folder: Path) -> None:
    base = f"https://github.com/etcd-io/etcd/releases/download/v{versions.ETCD}"
    name = f"etcd-v{versions.ETCD}-{SYSTEM}-{MACHINE}"
    if SYSTEM != "linux":
        raise DownloadFailed(f"{base}: no archive of a kind we unpack for {SYSTEM}")
    digest = published_digest(f"{base}/SHA256SUMS", folder / "digest", f"{name}.tar.gz")
    _archive(f"{base}/{name}.tar.gz", folder, digest)
    (folder / name / "etcd").rename(folder / "etcd")
    shutil.rmtree(folder / name)


def _download_registry(folder: Path) -> None:
    base = f"https://github.com/distribution/distribution/releases/download/v{versions.REGISTRY}"
    name = f"registry_{versions.REGISTRY}_{SYSTEM}_{MACHINE}.tar.gz"
    _archive(f"{base}/{name}", folder, published_digest(f"{base}/{name}.sha256", folder / "digest"))


def _archive(url: str, folder: Path, sha256: str | None = None) -> None:
    packed = folder / "archive.tar.gz"
    fetch(url, packed, sha256=sha256)
    try:
        with tarfile.open(packed) as archive:
            if hasattr(tarfile, "data_filter"):  # from 3.11.4 on
                archive.extraction_filter = tarfile.data_filter
            archive.extractall(folder)  # noqa: S202  # a publisher's archive, and filtered where Python can
    except (tarfile.TarError, OSError, EOFError) as error:
        raise DownloadFailed(f"{url}: not a whole archive ({error})") from None
    packed.unlink()


_K8S = versions.KUBERNETES.split(".")
_KUBE_FLAGS = " ".join(
    f"-X {package}.{name}={value}"
    for package in ("k8s.io/component-base/version", "k8s.io/client-go/pkg/version")
    for name, value in {"gitVersion": f"v{versions.KUBERNETES}", "gitMajor": _K8S[0], "gitMinor": _K8S[1]}.items()
)

PULUMI = Source(
    name="pulumi",
    version=versions.PULUMI,
    programs={"pulumi": "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"},
    asks={"pulumi": ["version"]},
    fits=lambda version: (3, 259) <= version < (4,),
    allowed="from 3.259 on, below 4",
    download=_download_pulumi,
    # The Automation API and the SDK refuse a CLI that does not know its own version.
    ldflags=f"-X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=v{versions.PULUMI}",
)
_SERVERS = ("kube-apiserver", "kube-controller-manager", "kube-scheduler")
KUBERNETES = Source(
    name="kubernetes",
    version=versions.KUBERNETES,
    programs={name: f"k8s.io/kubernetes/cmd/{name}" for name in (*_SERVERS, "kubectl")},
    asks={**{name: ["--version"] for name in _SERVERS}, "kubectl": ["version", "--client"]},
    fits=lambda version: version[:2] == (1, 34),
    allowed="1.34",
    download=_download_kubernetes,
    ldflags=_KUBE_FLAGS,
)
ETCD = Source(
    name="etcd",
    version=versions.ETCD,
    programs={"etcd": "go.etcd.io/etcd/server/v3"},
    asks={"etcd": ["--version"]},
    fits=lambda version: version[:2] in {(3, 5), (3, 6)},
    allowed="3.5 or 3.6",
    download=_download_etcd,
)
REGISTRY = Source(
    name="registry",
    version=versions.REGISTRY,
    programs={"registry": "github.com/distribution/distribution/v3/cmd/registry"},
    asks={"registry": ["--version"]},
    fits=lambda version: version[:1] == (3,),
    allowed="(distribution) 3",
    download=_download_registry,
    ldflags=f"-X github.com/distribution/distribution/v3/version.version=v{versions.REGISTRY}",
)
ALL = (PULUMI, KUBERNETES, ETCD, REGISTRY)
