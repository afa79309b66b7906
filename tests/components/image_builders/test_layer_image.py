"""The image is the same bytes for the same files, and holds these files only."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import tarfile
from pathlib import Path

import pytest

from components.image_builders.layer_image import build

ENTRY = ["python", "-m", "thing"]


def sources(folder: Path) -> Path:
    (folder / "thing" / "__pycache__").mkdir(parents=True)
    (folder / "thing" / "__pycache__" / "x.cpython-311.pyc").write_bytes(b"compiled")
    (folder / "thing" / "b.py").write_text("b = 1\n")
    (folder / "thing" / "a.py").write_text("a = 1\n")
    (folder / "thing" / "run").write_text("#!/bin/sh\n")
    (folder / "thing" / "run").chmod(0o700)
    (folder / "elsewhere.py").write_text("secret = 1\n")
    return folder


def members(layer: bytes) -> list[tarfile.TarInfo]:
    with tarfile.open(fileobj=io.BytesIO(gzip.decompress(layer))) as archive:
        return archive.getmembers()


def test_same_files_make_the_same_image_whatever_their_times_modes_and_order(tmp_path: Path) -> None:
    first = build(sources(tmp_path / "one"), ["thing"], ENTRY, {"B": "2", "A": "1"})
    other = sources(tmp_path / "two")
    os.utime(other / "thing" / "a.py", (1, 1))
    (other / "thing" / "b.py").chmod(0o600)
    second = build(other, ["thing/b.py", "thing", "thing/a.py"], ENTRY, {"A": "1", "B": "2"})
    assert first.manifest.digest == second.manifest.digest
    assert first.fingerprint == second.fingerprint


@pytest.mark.parametrize("change", ["content", "name", "entrypoint", "environment", "mode"])
def test_whatever_a_container_would_notice_changes_the_fingerprint(tmp_path: Path, change: str) -> None:
    root = sources(tmp_path)
    before = build(root, ["thing"], ENTRY, {"A": "1"}).fingerprint
    entry, environment = list(ENTRY), {"A": "1"}
    match change:
        case "content":
            (root / "thing" / "a.py").write_text("a = 2\n")
        case "name":
            (root / "thing" / "a.py").rename(root / "thing" / "c.py")
        case "entrypoint":
            entry.append("--verbose")
        case "environment":
            environment["A"] = "2"
        case "mode":
            (root / "thing" / "a.py").chmod(0o755)
    assert build(root, ["thing"], entry, environment).fingerprint != before


def test_layer_unpacks_to_app_and_holds_only_the_named_sources(tmp_path: Path) -> None:
    found = members(build(sources(tmp_path), ["thing"], ENTRY, {}).layer.content)
    assert [(each.name, oct(each.mode)) for each in found] == [
        ("app/thing/a.py", "0o644"),
        ("app/thing/b.py", "0o644"),
        ("app/thing/run", "0o755"),
    ]
    assert {(each.mtime, each.uid, each.gid) for each in found} == {(0, 0, 0)}


def test_manifest_and_config_refer_to_the_content_by_its_hashes(tmp_path: Path) -> None:
    image = build(sources(tmp_path), ["thing"], ENTRY, {"A": "1"})
    manifest, config = json.loads(image.manifest.content), json.loads(image.config.content)
    for blob, descriptor in ((image.config, manifest["config"]), (image.layer, manifest["layers"][0])):
        assert descriptor["digest"] == "sha256:" + hashlib.sha256(blob.content).hexdigest()
        assert descriptor["size"] == len(blob.content)
    unpacked = hashlib.sha256(gzip.decompress(image.layer.content)).hexdigest()
    assert config["rootfs"]["diff_ids"] == [f"sha256:{unpacked}"]
    assert config["config"]["Entrypoint"] == ENTRY
    assert config["config"]["Env"] == ["A=1"]
    assert config["config"]["WorkingDir"] == "/app"


def test_the_image_runs_as_a_numbered_user_that_is_not_root(tmp_path: Path) -> None:
    config = json.loads(build(sources(tmp_path), ["thing"], ENTRY, {}).config.content)
    user, group = config["config"]["User"].split(":")
    assert int(user) > 1000
    assert int(group) > 1000


def test_a_source_that_is_missing_or_a_link_is_refused_by_name(tmp_path: Path) -> None:
    root = sources(tmp_path)
    with pytest.raises(FileNotFoundError, match="'nothing' is not below"):
        build(root, ["nothing"], ENTRY, {})
    (root / "thing" / "link.py").symlink_to(root / "elsewhere.py")
    with pytest.raises(ValueError, match=r"link\.py is a link"):
        build(root, ["thing"], ENTRY, {})
