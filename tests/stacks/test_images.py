"""Each environment gets its images the way its settings say, and an update without named images touches nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pulumi
import pytest

from stacks import images
from stacks.images import UNDECIDED, service_images
from stacks.presets import PRESETS
from stacks.sections.foundation import Images
from tests.components.mocks import Registered, run
from tests.stacks.program import deployed

DIGEST = "sha256:" + "a" * 64


def registered(settings: Images, *, preview: bool = False, scheme: str = "mssql+pyodbc") -> Registered:
    return run(lambda: service_images(["consent", "bank_sandbox"], "cr.example", settings, scheme), preview=preview)


def settings(**changes: Any) -> Images:
    return PRESETS["prod"].images.model_copy(update=changes)


@pytest.mark.parametrize(("stack", "builder"), [("local", "layer"), ("dev", "docker"), ("prod", "digests")])
def test_the_program_builds_where_it_can_and_takes_what_was_tried_in_production(stack: str, builder: str) -> None:
    assert {each.inputs["builder"] for each in deployed(stack).of("dynamic/tributary:Image")} == {builder}


@pytest.mark.parametrize(("scheme", "database"), [("mssql+pyodbc", "mssql"), ("postgresql+psycopg", "postgresql")])
def test_an_image_holds_the_driver_of_its_database(scheme: str, database: str) -> None:
    found = registered(settings(builder="buildah", base_image="base"), scheme=scheme)
    options = found.one(":Image", "consent").inputs["options"]
    assert options["arguments"] == {"BASE_IMAGE": "base", "SERVICE": "consent", "DATABASE": database}
    for each in (options["dockerfile"], *options["context"]):
        assert (images.ROOT / each).is_file()


def test_images_are_taken_by_the_digests_of_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(images, "ROOT", tmp_path)
    listed = {"consent": f"cr.dev/consent@{DIGEST}", "bank-sandbox": DIGEST, "other": DIGEST}
    (tmp_path / "images.json").write_text(json.dumps(listed))
    references = {
        each.inputs["repository"]: each.inputs["options"]["reference"] for each in registered(settings()).resources
    }
    assert references == {"consent": f"cr.dev/consent@{DIGEST}", "bank-sandbox": DIGEST}


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (None, "images.json is not there"),
        ("{", "images.json is no JSON"),
        ("[]", "images.json is no JSON object"),
        (json.dumps({"consent": DIGEST}), "images.json names no image of bank-sandbox"),
        (json.dumps({"consent": DIGEST, "bank-sandbox": 1}), "images.json names no image of bank-sandbox"),
    ],
)
def test_an_update_without_named_images_registers_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str | None, complaint: str
) -> None:
    monkeypatch.setattr(images, "ROOT", tmp_path)
    if content is not None:
        (tmp_path / "images.json").write_text(content)
    with pytest.raises(pulumi.RunError, match=complaint) as refused:
        registered(settings())
    assert "pulumi stack output images --json" in str(refused.value)


def test_a_preview_goes_on_before_images_are_decided(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(images, "ROOT", tmp_path)
    references = {each.inputs["options"]["reference"] for each in registered(settings(), preview=True).resources}
    assert references == {UNDECIDED}
