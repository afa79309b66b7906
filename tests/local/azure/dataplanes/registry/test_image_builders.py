"""The builders against a registry that checks every token: pushed once, copied by digest, built by two programs."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from components import registry_client
from components.image import BUILDERS, BuilderName
from components.image_builders.contract import Recipe
from components.registry_client import RegistryClient, RegistryError
from local.instance import REPOSITORY
from tests.local.azure.dataplanes.conftest import Identity
from tests.local.azure.dataplanes.registry.conftest import Registry

SUITE = "bookworm"
ROOTS = "/etc/ssl/certs/ca-certificates.crt"
BASE = f"localhost/debian-python:{SUITE}"


class Worker:
    """Who deploys: signed in as an identity, in both registries."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, identity: Identity, trust: str) -> None:
        monkeypatch.setattr(
            registry_client,
            "DefaultAzureCredential",
            lambda **_: contextlib.nullcontext(identity.credential),
        )
        monkeypatch.setattr(registry_client, "_PATIENCE", 0.0)
        monkeypatch.setenv("SSL_CERT_FILE", trust)

    @staticmethod
    def client(registry: Registry, repository: str) -> RegistryClient:
        return RegistryClient(registry.url.removeprefix("https://"), repository)


@pytest.fixture(scope="module")
def two(new_registry: Callable[[str], Registry]) -> Registry:
    """Another than the other tests': they list what is in theirs."""
    return new_registry("acrLive")


@pytest.fixture
def worker(one: Registry, two: Registry, monkeypatch: pytest.MonkeyPatch) -> Worker:
    identity = one.identity("AcrPush")
    identity.grant("AcrPush", two.resource.id)
    return Worker(monkeypatch, identity, str(one.embedded.instance.ca_bundle))


def layer(root: Path, content: str) -> Recipe:
    (root / "thing").mkdir(exist_ok=True)
    (root / "thing" / "a.py").write_text(content)
    return Recipe(root=root, sources=["thing"], options={"entrypoint": ["python"], "environment": {}})


def push(builder: BuilderName, recipe: Recipe, client: RegistryClient) -> str:
    return BUILDERS[builder].push(recipe, client, BUILDERS[builder].fingerprint(recipe)[:16])


def test_a_pushed_image_is_found_by_the_hash_of_its_content(tmp_path: Path, one: Registry, worker: Worker) -> None:
    recipe = layer(tmp_path, "a = 1\n")
    tag = BUILDERS["layer"].fingerprint(recipe)[:16]
    with worker.client(one, "found/thing") as client:
        assert client.digest_of(tag) is None
        pushed = push("layer", recipe, client)
        assert client.digest_of(tag) == pushed
        assert client.has(pushed)


def test_an_image_of_another_registry_is_copied_and_stays_the_same(
    tmp_path: Path, one: Registry, two: Registry, worker: Worker
) -> None:
    with worker.client(one, "tried/thing") as origin:
        tried = push("layer", layer(tmp_path, "a = 2\n"), origin)
        manifest = origin.manifest(tried).content
    recipe = Recipe(root=tmp_path, sources=[], options={"reference": f"{origin.server}/tried/thing@{tried}"})
    with worker.client(two, "live/thing") as target:
        assert push("digests", recipe, target) == tried
        assert target.manifest(tried).content == manifest
        assert target.digest_of(BUILDERS["digests"].fingerprint(recipe)[:16]) == tried
        # A second time nothing is fetched: the origin may be gone.
        gone = Recipe(root=tmp_path, sources=[], options={"reference": f"gone.invalid/thing@{tried}"})
        assert push("digests", gone, target) == tried


def test_a_digest_that_is_nowhere_is_refused_by_name(tmp_path: Path, one: Registry, worker: Worker) -> None:
    recipe = Recipe(root=tmp_path, sources=[], options={"reference": "sha256:" + "0" * 64})
    with worker.client(one, "nowhere/thing") as client, pytest.raises(RegistryError, match="has no sha256:0000"):
        push("digests", recipe, client)


def test_who_may_only_pull_pushes_nothing(
    tmp_path: Path, one: Registry, worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    Worker(monkeypatch, one.identity("AcrPull"), str(one.embedded.instance.ca_bundle))
    with worker.client(one, "refused/thing") as client, pytest.raises(RegistryError, match="was answered 40"):
        push("layer", layer(tmp_path, "a = 3\n"), client)


@dataclass(frozen=True)
class Program:
    """One that builds images. run: its command line, and what it is told by its environment."""

    name: BuilderName
    environment: Mapping[str, str]

    def run(self, *arguments: str | Path, check: bool = True) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [self.name, *arguments],
            check=check,
            capture_output=True,
            text=True,
            env={**os.environ, **self.environment},
        )


BUILDAH = Program("buildah", {"STORAGE_DRIVER": "vfs", "BUILDAH_ISOLATION": "chroot"})
DOCKER = Program("docker", {})


@pytest.fixture(scope="module")
def debian(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of a Debian with Python, made of Debian's packages: no public registry is needed."""
    if shutil.which("debootstrap") is None:
        pytest.skip("debootstrap is not on PATH: apt-get install debootstrap")
    if os.geteuid() != 0:
        pytest.skip("debootstrap needs root")
    root = tmp_path_factory.mktemp("debian") / "root"
    wanted = "--include=python3,python3-venv,ca-certificates"
    subprocess.run(["debootstrap", "--variant=minbase", wanted, SUITE, root], check=True, capture_output=True)
    # A company's own roots belong into its base image; pip looks for them only where it is told.
    shutil.copy(os.environ.get("SSL_CERT_FILE", ROOTS), root / ROOTS.lstrip("/"))
    return root


@pytest.fixture
def with_buildah(debian: Path) -> Iterator[Program]:
    if shutil.which("buildah") is None:
        pytest.skip("buildah is not on PATH: apt-get install buildah")
    container = BUILDAH.run("from", "scratch").stdout.strip()
    BUILDAH.run("add", "--quiet", container, debian, "/")
    BUILDAH.run("config", f"--env=PIP_CERT={ROOTS}", container)
    BUILDAH.run("commit", "--quiet", "--rm", container, BASE)
    yield BUILDAH
    BUILDAH.run("rmi", BASE, check=False)


@pytest.fixture
def with_docker(debian: Path, tmp_path: Path) -> Iterator[Program]:
    if shutil.which("docker") is None:
        pytest.skip("docker is not on PATH: apt-get install docker.io")
    if DOCKER.run("info", "--format={{.ServerVersion}}", check=False).returncode:
        pytest.skip("no Docker daemon answers: start dockerd, or set DOCKER_HOST")
    packed = tmp_path / "debian.tar"
    subprocess.run(["tar", f"--directory={debian}", f"--file={packed}", "--create", "."], check=True)
    DOCKER.run("import", f"--change=ENV PIP_CERT={ROOTS}", packed, BASE)
    packed.unlink()
    yield DOCKER
    DOCKER.run("rmi", "--force", BASE, check=False)


@pytest.mark.full
@pytest.mark.timeout(900)
@pytest.mark.parametrize("fixture", ["with_buildah", "with_docker"])
def test_the_services_image_is_built_from_its_dockerfile_pushed_and_starts(
    fixture: str, request: pytest.FixtureRequest, one: Registry, worker: Worker, tmp_path: Path
) -> None:
    program: Program = request.getfixturevalue(fixture)
    options: dict[str, Any] = {
        "dockerfile": "workloads/images/Dockerfile",
        "context": ["constraints.txt", "workloads/requirements.txt", "workloads/images/mssql.txt"],
        "arguments": {"BASE_IMAGE": BASE, "SERVICE": "consent", "DATABASE": "postgresql"},
    }
    sources = ["workloads/__init__.py", "workloads/services/__init__.py", "workloads/chassis", "workloads/banks"]
    recipe = Recipe(root=REPOSITORY, sources=[*sources, "workloads/services/consent"], options=options)
    with worker.client(one, f"{program.name}/consent") as client:
        digest = push(program.name, recipe, client)
        manifest = client.manifest(digest)
        reference = f"{client.server}/{client.repository}@{digest}"
        login = tmp_path / "config.json"
        login.write_text(json.dumps({"auths": {client.server: {"auth": client.login("pull,push")}}}))
    assert b'"layers"' in manifest.content
    done = _STARTED[program.name](reference, login)
    # It starts as a user that is not root, and stops at the first thing it was not told: its settings.
    assert done.stdout.split()[0] == "10001", done.stdout + done.stderr
    assert "consent can't start" in done.stdout + done.stderr


_SCRIPT = 'id -u; exec python -m "workloads.services.${SERVICE}"'


def _started_by_buildah(reference: str, login: Path) -> subprocess.CompletedProcess[str]:
    """What the image says that a node pulls by digest and runs without telling it anything."""
    container = BUILDAH.run("from", f"--authfile={login}", "--pull-always", reference).stdout.strip()
    done = BUILDAH.run("run", container, "--", "/bin/sh", "-c", _SCRIPT, check=False)
    BUILDAH.run("rm", container, check=False)
    return done


def _started_by_docker(reference: str, login: Path) -> subprocess.CompletedProcess[str]:
    """The same, of a daemon that forgets what it has built before."""
    DOCKER.run("rmi", "--force", reference, check=False)
    DOCKER.run(f"--config={login.parent}", "pull", "--quiet", reference)
    done = DOCKER.run("run", "--rm", "--entrypoint=/bin/sh", reference, "-c", _SCRIPT, check=False)
    DOCKER.run("rmi", "--force", reference, check=False)
    return done


_STARTED = {"buildah": _started_by_buildah, "docker": _started_by_docker}
