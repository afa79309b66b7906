"""Images: pulled with the kubelet identity, checked, unpacked once."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator

import pytest

from local.instance import Instance
from local.kubernetes.node.images import Images
from local.kubernetes.node.registry import PullError, Reference
from tests.local.kubernetes.registry import TestRegistry


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory, unused_tcp_port_factory: object) -> Iterator[TestRegistry]:
    state = tmp_path_factory.mktemp("images")
    port = unused_tcp_port_factory()  # type: ignore[operator]  # pytest-asyncio's factory
    served = TestRegistry(Instance(state), port)
    (state / "azure").mkdir()
    (state / "kubernetes").mkdir()
    served.start()
    yield served
    served.stop()


async def test_an_image_is_unpacked_once_and_found_by_digest(registry: TestRegistry) -> None:
    images = Images(registry.instance)
    reference = registry.push("once", {"a.py": "x = 1", "deep/b.txt": "b"}, Entrypoint=["python", "a.py"])
    assert images.present(reference) is None
    image = await images.pull(reference)
    assert (image.root / "app/deep/b.txt").read_text() == "b"
    assert list((image.root / "app/__pycache__").iterdir()), "compiled, since containers can't write there"
    assert image.config["Entrypoint"] == ["python", "a.py"]
    assert Images(registry.instance).present(reference) == image
    assert image.id == reference


async def test_content_that_is_not_what_its_digest_says_is_refused(registry: TestRegistry) -> None:
    reference = registry.push("forged", {"a": "1"})
    layer = next(each for each in reversed(registry.blobs))
    registry.blobs[layer] += b"x"
    with pytest.raises(PullError, match="does not have this digest"):
        await Images(registry.instance).pull(reference)
    assert Images(registry.instance).present(reference) is None


def _layer(**fields: object) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        entry = tarfile.TarInfo("app/x")
        for name, value in fields.items():
            setattr(entry, name, value)
        archive.addfile(entry)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("layer", "why"),
    [
        (_layer(name="../outside"), "leads out of the image"),
        (_layer(name="/etc/passwd"), "leads out of the image"),
        (_layer(type=tarfile.SYMTYPE, linkname="../../etc/passwd"), "leads out of the image"),
        (_layer(type=tarfile.SYMTYPE, linkname="/etc/passwd"), "leads out of the image"),
        (_layer(type=tarfile.LNKTYPE, linkname="../etc/passwd"), "leads out of the image"),
        (_layer(type=tarfile.CHRTYPE), "neither a file nor a folder"),
        (_layer(name="app/.wh.gone"), "deletes"),
        (b"no archive", "can't be unpacked"),
    ],
    ids=["parent", "absolute", "link-out", "link-absolute", "hard-link-out", "device", "whiteout", "garbage"],
)
async def test_a_layer_that_reaches_out_is_refused(registry: TestRegistry, layer: bytes, why: str) -> None:
    reference = registry.push("evil", {"a": "1"}, layer=layer)
    with pytest.raises(PullError, match=why):
        await Images(registry.instance).pull(reference)
    assert Images(registry.instance).present(reference) is None


async def test_another_identity_may_not_pull(registry: TestRegistry) -> None:
    reference = registry.push("private", {"a": "1"})
    path = registry.instance.kubernetes / "cluster.json"
    kept = path.read_text()
    path.write_text('{"client_id": "someone else"}')
    try:
        with pytest.raises(PullError, match="answered 401"):
            await Images(registry.instance).pull(reference)
    finally:
        path.write_text(kept)


@pytest.mark.parametrize("text", ["nginx", "nginx:1", "library/nginx", "127.0.0.1:1/UPPER", "127.0.0.1:1/a@sha256:12"])
def test_references_that_name_no_registry_are_refused(text: str) -> None:
    with pytest.raises(PullError, match="is not <registry host>/<repository>"):
        Reference.parse(text)
