"""The builders against a registry that checks every token: pushed once, copied by digest, built by buildah."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
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


def _missing() -> str | None:
    absent = [each for each in ("buildah", "debootstrap") if shutil.which(each) is None]
    if absent:
        return f"{' and '.join(absent)} not on PATH: apt-get install buildah debootstrap"
    return None if os.geteuid() == 0 else "debootstrap needs root"


@pytest.fixture(scope="module")
def base_image(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Debian with Python, made of Debian's packages: no public registry is needed."""
    if reason := _missing():
        pytest.skip(reason)
    environment = {**os.environ, "STORAGE_DRIVER": "vfs", "BUILDAH_ISOLATION": "chroot"}
    root = tmp_path_factory.mktemp("debian") / "root"
    wanted = "--include=python3,python3-venv,ca-certificates"
    subprocess.run(["debootstrap", "--variant=minbase", wanted, SUITE, root], check=True, capture_output=True)
    container = subprocess.run(
        ["buildah", "from", "scratch"], check=True, capture_output=True, text=True, env=environment
    ).stdout.strip()
    # A company's own roots belong into its base image; pip looks for them only where it is told.
    shutil.copy(os.environ.get("SSL_CERT_FILE", "/etc/ssl/certs/ca-certificates.crt"), root / ROOTS.lstrip("/"))
    for command in (
        ["add", "--quiet", container, root, "/"],
        ["config", f"--env=PIP_CERT={ROOTS}", container],
        ["commit", "--quiet", "--rm", container, BASE],
    ):
        subprocess.run(["buildah", *command], check=True, capture_output=True, env=environment)
    yield BASE
    subprocess.run(["buildah", "rmi", BASE], check=False, capture_output=True, env=environment)


@pytest.mark.full
@pytest.mark.timeout(900)
def test_buildah_builds_the_services_image_without_a_daemon(
    base_image: str, one: Registry, worker: Worker, tmp_path: Path
) -> None:
    options: dict[str, Any] = {
        "dockerfile": "workloads/images/Dockerfile",
        "context": ["constraints.txt", "workloads/requirements.txt", "workloads/images/mssql.txt"],
        "arguments": {"BASE_IMAGE": base_image, "SERVICE": "consent", "DATABASE": "postgresql"},
    }
    sources = ["workloads/__init__.py", "workloads/services/__init__.py", "workloads/chassis", "workloads/banks"]
    recipe = Recipe(root=REPOSITORY, sources=[*sources, "workloads/services/consent"], options=options)
    with worker.client(one, "built/consent") as client:
        digest = push("buildah", recipe, client)
        manifest = client.manifest(digest)
    assert b'"layers"' in manifest.content
    said = started(f"{one.url.removeprefix('https://')}/built/consent@{digest}", worker, one, tmp_path)
    # It starts as a user that is not root, and stops at the first thing it was not told: its settings.
    assert "consent can't start" in said


def started(reference: str, worker: Worker, registry: Registry, folder: Path) -> str:
    """What the image says that a node pulls by digest and runs without telling it anything."""
    with worker.client(registry, "built/consent") as client:
        login = folder / "login.json"
        login.write_text(json.dumps({"auths": {client.server: {"auth": client.login("pull,push")}}}))
    environment = {**os.environ, "STORAGE_DRIVER": "vfs", "BUILDAH_ISOLATION": "chroot"}
    container = subprocess.run(
        ["buildah", "from", f"--authfile={login}", "--pull-always", reference],
        check=True, capture_output=True, text=True, env=environment,
    ).stdout.strip()  # fmt: skip
    command = ["buildah", "run", container, "--", "/bin/sh", "-c"]
    script = 'id -u; exec python -m "workloads.services.${SERVICE}"'
    done = subprocess.run([*command, script], check=False, capture_output=True, text=True, env=environment)
    subprocess.run(["buildah", "rm", container], check=False, capture_output=True, env=environment)
    assert done.stdout.split()[0] == "10001", done.stdout + done.stderr
    return done.stdout + done.stderr
