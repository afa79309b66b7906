"""What docker and buildah are asked to do, what they see, and that no credential is on a command line or stays."""

from __future__ import annotations

import base64
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from components.image_builders import buildah, docker, dockerfile
from components.image_builders.contract import Builder, Recipe

RECORDER = """\
#!{python}
import json, os, pathlib, sys
words = sys.argv[1:]
log = pathlib.Path({log!r})
said = {{"argv": words, "cwd": os.getcwd(), "host": os.environ.get("DOCKER_HOST"), "files": sorted(
    str(each.relative_to(".")) for each in pathlib.Path(".").rglob("*") if each.is_file())}}
for word in words:
    if word.startswith(("--config=", "--authfile=")):
        place = pathlib.Path(word.partition("=")[2])
        place = place / "config.json" if place.is_dir() else place
        said |= {{"login": json.loads(place.read_text()), "mode": oct(place.stat().st_mode & 0o777)}}
with log.open("a") as file:
    file.write(json.dumps(said) + "\\n")
if "context" in words:
    print("unix:///somewhere.sock")
sys.exit({code})
"""


class Client:
    """The part of a registry client that these builders use."""

    server, repository = "cr.example", "thing"

    def login(self, actions: str) -> str:
        assert actions == "pull,push"
        return base64.b64encode(b"token-user:secret-token").decode()

    def digest_under(self, tag: str) -> str:
        return f"digest of {tag}"


@pytest.fixture
def recipe(tmp_path: Path) -> Recipe:
    root = tmp_path / "root"
    (root / "thing").mkdir(parents=True)
    (root / "thing" / "a.py").write_text("a = 1\n")
    (root / "images").mkdir()
    (root / "images" / "Dockerfile").write_text("FROM scratch\n")
    (root / "pins.txt").write_text("x==1\n")
    (root / "private.key").write_text("secret")
    options = {"dockerfile": "images/Dockerfile", "context": ["pins.txt"], "arguments": {"SERVICE": "thing", "B": "1"}}
    return Recipe(root=root, sources=["thing"], options=options)


def recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: str, code: int = 0) -> Path:
    """A program on PATH that writes down what it was asked."""
    log = tmp_path / "log"
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / program).write_text(RECORDER.format(python=sys.executable, log=str(log), code=code))
    (folder / program).chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))
    return log


def lines(log: Path) -> list[dict[str, Any]]:
    return [json.loads(each) for each in log.read_text().splitlines()]


def test_docker_builds_and_pushes_through_the_persons_own_daemon(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, recipe: Recipe
) -> None:
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    log = recorded(tmp_path, monkeypatch, "docker")
    assert docker.push(recipe, Client(), "0123") == "digest of 0123"  # type: ignore[arg-type]
    context, build, push = lines(log)
    assert context["argv"][:2] == ["context", "inspect"]
    assert build["argv"][1:] == [
        "build",
        "--file=images/Dockerfile",
        "--platform=linux/amd64",
        "--build-arg=B=1",
        "--build-arg=SERVICE=thing",
        "--tag=cr.example/thing:0123",
        ".",
    ]
    assert push["argv"][1:] == ["push", "--quiet", "cr.example/thing:0123"]
    assert build["host"] == push["host"] == "unix:///somewhere.sock"
    assert build["files"] == ["images/Dockerfile", "pins.txt", "thing/a.py"]


def test_buildah_builds_and_pushes_and_leaves_no_image_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, recipe: Recipe
) -> None:
    log = recorded(tmp_path, monkeypatch, "buildah")
    assert buildah.push(recipe, Client(), "0123") == "digest of 0123"  # type: ignore[arg-type]
    build, push, remove = lines(log)
    assert build["argv"][0] == "bud"
    assert build["argv"][2:] == [
        "--file=images/Dockerfile",
        "--platform=linux/amd64",
        "--build-arg=B=1",
        "--build-arg=SERVICE=thing",
        "--tag=cr.example/thing:0123",
        ".",
    ]
    assert push["argv"][0] == "push"
    assert push["argv"][-2:] == ["cr.example/thing:0123", "docker://cr.example/thing:0123"]
    assert remove["argv"] == ["rmi", "cr.example/thing:0123"]


@pytest.mark.parametrize(("program", "builder"), [("docker", docker), ("buildah", buildah)])
def test_the_sign_in_is_in_a_private_file_that_is_gone_afterwards(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, recipe: Recipe, program: str, builder: Builder
) -> None:
    log = recorded(tmp_path, monkeypatch, program)
    builder.push(recipe, Client(), "0123")  # type: ignore[arg-type]
    signed_in = [each for each in lines(log) if "login" in each]
    assert len(signed_in) == 2
    for each in signed_in:
        assert base64.b64decode(each["login"]["auths"]["cr.example"]["auth"]) == b"token-user:secret-token"
        assert each["mode"] == "0o600"
        assert not any(
            "secret-token" in word or each["login"]["auths"]["cr.example"]["auth"] in word for word in each["argv"]
        )
        assert not Path(each["cwd"]).exists()


@pytest.mark.parametrize(("program", "builder"), [("docker", docker), ("buildah", buildah)])
def test_a_missing_program_and_a_failed_one_say_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, recipe: Recipe, program: str, builder: Builder
) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///here.sock")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(RuntimeError, match=f"The program '{program}' is not on PATH. Install"):
        builder.push(recipe, Client(), "0123")  # type: ignore[arg-type]
    recorded(tmp_path, monkeypatch, program, code=3)
    with pytest.raises(RuntimeError, match=f"`{program} .*` ended with 3") as refused:
        builder.push(recipe, Client(), "0123")  # type: ignore[arg-type]
    assert "secret-token" not in str(refused.value)


@pytest.mark.parametrize("change", ["source", "dockerfile", "context", "argument"])
def test_whatever_the_build_sees_changes_the_fingerprint(recipe: Recipe, change: str) -> None:
    before, options = dockerfile.fingerprint(recipe), dict(recipe.options)
    match change:
        case "source":
            (recipe.root / "thing" / "a.py").write_text("a = 2\n")
        case "dockerfile":
            (recipe.root / "images" / "Dockerfile").write_text("FROM other\n")
        case "context":
            (recipe.root / "pins.txt").write_text("x==2\n")
        case "argument":
            options["arguments"] = {**options["arguments"], "B": "2"}
    assert dockerfile.fingerprint(Recipe(root=recipe.root, sources=recipe.sources, options=options)) != before


def test_what_the_build_does_not_see_leaves_the_fingerprint_alone(recipe: Recipe) -> None:
    before = dockerfile.fingerprint(recipe)
    (recipe.root / "private.key").write_text("another")
    assert dockerfile.fingerprint(recipe) == before
