"""An image is pushed when its content changed, and the state holds nothing that opens anything."""

from __future__ import annotations

import base64
import pickletools
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar, Self

import pytest

from components import image, registry_client
from components.image import DigestArgs, DockerfileArgs, Image, ImageArgs, LayerArgs, _ImageProvider
from tests.components.mocks import Registration, run

DIGEST = "sha256:" + "a" * 64
BUILDS: list[LayerArgs | DockerfileArgs | DigestArgs] = [
    LayerArgs(entrypoint=["python"]),
    DockerfileArgs(program="docker", dockerfile="Dockerfile", arguments={"SERVICE": "thing"}),
    DockerfileArgs(program="buildah", dockerfile="Dockerfile", arguments={"SERVICE": "thing"}),
    DigestArgs(reference=DIGEST),
]


def args(root: Path, build: LayerArgs | DockerfileArgs | DigestArgs = BUILDS[0]) -> ImageArgs:
    (root / "thing").mkdir(exist_ok=True, parents=True)
    (root / "thing" / "a.py").touch()
    (root / "Dockerfile").write_text("FROM scratch\n")
    return ImageArgs(registry="cr.example", repository="thing", root=root, sources=["thing"], build=build)


def declared(root: Path, build: LayerArgs | DockerfileArgs | DigestArgs = BUILDS[0]) -> Registration:
    return run(lambda: Image("thing", args(root, build))).one("dynamic/tributary:Image")


@pytest.mark.parametrize("build", BUILDS, ids=lambda each: type(each).__name__)
def test_an_unchanged_image_is_not_touched_even_in_another_checkout(tmp_path: Path, build: Any) -> None:
    one, two = declared(tmp_path / "one", build).inputs, declared(tmp_path / "two", build).inputs
    assert one["root"] != two["root"]
    assert _ImageProvider().diff("", dict(one), dict(two)).changes is False


def test_changed_content_is_an_update_and_a_moved_image_a_new_one(tmp_path: Path) -> None:
    before = dict(declared(tmp_path).inputs)
    (tmp_path / "thing" / "a.py").write_text("a = 1\n")
    changed = _ImageProvider().diff("", before, dict(declared(tmp_path).inputs))
    assert (changed.changes, changed.replaces) == (True, [])
    moved = _ImageProvider().diff("", before, {**before, "registry": "other.example"})
    assert (moved.changes, moved.replaces) == (True, ["registry"])


def test_the_state_refers_to_the_provider_by_name_and_captures_nothing(tmp_path: Path) -> None:
    stored = base64.b64decode(declared(tmp_path).inputs["__provider"])
    words = [argument for _, argument, _ in pickletools.genops(stored) if isinstance(argument, str)]
    assert words == ["components.image", "_ImageProvider"]


@pytest.mark.parametrize("build", BUILDS[:3], ids=["layer", "docker", "buildah"])
def test_sources_that_change_under_way_are_refused_before_anything_is_pushed(tmp_path: Path, build: Any) -> None:
    inputs = dict(declared(tmp_path, build).inputs)
    (tmp_path / "thing" / "a.py").write_text("a = 1\n")
    with pytest.raises(RuntimeError, match="The sources of thing changed during the deployment"):
        _ImageProvider().create(inputs)


class Registry:
    """A registry that has what it is told to have, under any repository's name."""

    tags: ClassVar[dict[str, str]] = {}

    def __init__(self, server: str, repository: str) -> None:
        self.server, self.repository = server, repository

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def digest_of(self, tag: str) -> str | None:
        return self.tags.get(tag)


@pytest.fixture
def tags(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    monkeypatch.setattr(registry_client, "RegistryClient", Registry)
    yield Registry.tags
    Registry.tags.clear()


@pytest.mark.parametrize("build", BUILDS, ids=["layer", "docker", "buildah", "digests"])
def test_nothing_is_built_when_the_registry_has_the_content(
    tmp_path: Path, build: Any, tags: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    inputs = dict(declared(tmp_path, build).inputs)
    tags[inputs["fingerprint"][:16]] = DIGEST
    monkeypatch.setattr(image.BUILDERS[inputs["builder"]], "push", lambda *_: pytest.fail("it was built again"))
    made = _ImageProvider().create(inputs)
    assert made.outs is not None
    assert made.outs["reference"] == f"cr.example/thing@{DIGEST}"


def test_content_that_the_registry_lacks_is_built_and_known_by_its_digest(
    tmp_path: Path, tags: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    inputs = dict(declared(tmp_path).inputs)
    asked: list[str] = []
    monkeypatch.setattr(image.BUILDERS["layer"], "push", lambda _recipe, _client, tag: (asked.append(tag), DIGEST)[1])
    made = _ImageProvider().create(inputs)
    assert made.outs is not None
    assert made.outs["digest"] == DIGEST
    assert asked == [inputs["fingerprint"][:16]]


@pytest.mark.parametrize("reference", ["latest", "cr.example/thing:1", "sha256:12", f"thing@{DIGEST}"])
def test_an_image_that_is_not_named_by_digest_is_refused_before_anything_is_registered(
    tmp_path: Path, reference: str
) -> None:
    with pytest.raises(ValueError, match="is no image by digest; allowed is sha256:"):
        Image("thing", args(tmp_path, DigestArgs(reference=reference)))
