"""An image is pushed when its content changed, and the state holds nothing that opens anything."""

from __future__ import annotations

import base64
import pickletools
from pathlib import Path

import pytest

from components.image import Image, ImageArgs, _LayerBuilder
from tests.components.mocks import Registration, run


def declared(root: Path) -> Registration:
    (root / "thing").mkdir(exist_ok=True)
    (root / "thing" / "a.py").touch()
    args = ImageArgs(registry="cr.example", repository="thing", root=root, sources=["thing"], entrypoint=["python"])
    return run(lambda: Image("thing", args)).one("dynamic/tributary:Image")


def test_an_unchanged_image_is_not_touched_even_in_another_checkout(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    one, two = declared(tmp_path / "one").inputs, declared(tmp_path / "two").inputs
    assert one["root"] != two["root"]
    assert _LayerBuilder().diff("", dict(one), dict(two)).changes is False


def test_changed_content_is_an_update_and_a_moved_image_a_new_one(tmp_path: Path) -> None:
    before = dict(declared(tmp_path).inputs)
    (tmp_path / "thing" / "a.py").write_text("a = 1\n")
    changed = _LayerBuilder().diff("", before, dict(declared(tmp_path).inputs))
    assert (changed.changes, changed.replaces) == (True, [])
    moved = _LayerBuilder().diff("", before, {**before, "registry": "other.example"})
    assert (moved.changes, moved.replaces) == (True, ["registry"])


def test_the_state_refers_to_the_provider_by_name_and_captures_nothing(tmp_path: Path) -> None:
    stored = base64.b64decode(declared(tmp_path).inputs["__provider"])
    words = [argument for _, argument, _ in pickletools.genops(stored) if isinstance(argument, str)]
    assert words == ["components.image", "_LayerBuilder"]


def test_sources_that_change_under_way_are_refused_before_anything_is_pushed(tmp_path: Path) -> None:
    inputs = dict(declared(tmp_path).inputs)
    (tmp_path / "thing" / "a.py").write_text("a = 1\n")
    with pytest.raises(RuntimeError, match="The sources of thing changed during the deployment"):
        _LayerBuilder().create({**inputs, "environment": {}})
