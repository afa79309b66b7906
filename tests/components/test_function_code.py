"""Code is named by its content, packed the same everywhere, and deployed when it changed and at no other time."""

from __future__ import annotations

import base64
import io
import pickletools
import zipfile
from pathlib import Path
from typing import Any

import pytest

from components import function_package, one_deploy, python_wheels
from components.function_code import FunctionCode, _CodeProvider, deploy
from components.function_package import PackageArgs
from tests.components.mocks import Registration, run


def args(root: Path, **changes: Any) -> PackageArgs:
    (root / "app" / "inner").mkdir(exist_ok=True, parents=True)
    for name, content in {
        "host.json": "{}", "main.py": "app = 1\n", "inner/a.py": "a = 1\n", "requirements.txt": "azure-functions\n"
    }.items():  # fmt: skip
        path = root / "app" / name
        if not path.exists():
            path.write_text(content)
    (root / "constraints.txt").write_text("azure-functions==1.26.0\n")
    everything: dict[str, Any] = {
        "root": root,
        "top": {"host.json": "app/host.json", "function_app.py": "app/main.py"},
        "sources": ["app/inner"],
        "requirements": "app/requirements.txt",
        "constraints": "constraints.txt",
        "build": "remote",
        "python": "3.12",
    }
    return PackageArgs(**everything | changes)


def declared(root: Path, **changes: Any) -> Registration:
    return run(lambda: FunctionCode("events", args(root, **changes), "/app", "app.scm.example")).one(":FunctionCode")


def test_the_package_has_what_the_host_wants_at_its_top_and_is_the_same_wherever_it_is_packed(tmp_path: Path) -> None:
    one, two = args(tmp_path / "one").pack(), args(tmp_path / "two").pack()
    assert one == two
    with zipfile.ZipFile(io.BytesIO(one)) as archive:
        assert archive.namelist() == [
            "app/inner/a.py", "constraints.txt", "function_app.py", "host.json", "requirements.txt"
        ]  # fmt: skip
        assert archive.read("requirements.txt") == b"-c constraints.txt\nazure-functions\n"


def test_an_unchanged_package_is_not_touched_even_in_another_checkout(tmp_path: Path) -> None:
    one, two = declared(tmp_path / "one").inputs, declared(tmp_path / "two").inputs
    assert one["root"] != two["root"]
    assert _CodeProvider().diff("", dict(one), dict(two)).changes is False


@pytest.mark.parametrize("name", ["app/host.json", "app/main.py", "app/inner/a.py", "app/requirements.txt"])
def test_changed_content_is_deployed_into_the_app_that_is_there(tmp_path: Path, name: str) -> None:
    before = dict(declared(tmp_path).inputs)
    (tmp_path / name).write_text("# changed\n")
    changed = _CodeProvider().diff("", before, dict(declared(tmp_path).inputs))
    assert (changed.changes, changed.replaces) == (True, [])


def test_who_builds_and_for_which_python_is_part_of_the_content(tmp_path: Path) -> None:
    found = {args(tmp_path, **each).fingerprint() for each in ({}, {"build": "wheels"}, {"python": "3.11"})}
    assert len(found) == 3


def test_another_app_gets_the_code_anew(tmp_path: Path) -> None:
    before = dict(declared(tmp_path).inputs)
    moved = _CodeProvider().diff("", before, {**before, "app": "/other", "site": "other.scm.example"})
    assert (moved.changes, moved.replaces) == (True, ["app"])


def test_the_state_refers_to_the_provider_by_name_and_captures_nothing(tmp_path: Path) -> None:
    stored = base64.b64decode(declared(tmp_path).inputs["__provider"])
    words = [argument for _, argument, _ in pickletools.genops(stored) if isinstance(argument, str)]
    assert words == ["components.function_code", "_CodeProvider"]


def test_sources_that_change_under_way_are_refused_before_anything_is_sent(tmp_path: Path) -> None:
    inputs = dict(declared(tmp_path).inputs)
    (tmp_path / "app" / "main.py").write_text("app = 2\n")
    with pytest.raises(RuntimeError, match=r"The sources of app.scm.example changed during the deployment"):
        deploy("nowhere.invalid", inputs)


def test_a_package_without_host_json_or_without_a_file_is_refused_before_anything_is_registered(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"there is no host.json among \['function_app.py'\]"):
        args(tmp_path, top={"function_app.py": "app/main.py"})
    with pytest.raises(FileNotFoundError, match="'app/none' is not below"):
        declared(tmp_path, sources=["app/none"])


def test_wheels_are_in_the_package_where_the_host_looks_for_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[bytes, bytes, str]] = []

    def install(*given: Any) -> Any:
        asked.append(given)
        return iter([("azure/functions/__init__.py", b"")])

    monkeypatch.setattr(function_package, "install", install)
    with zipfile.ZipFile(io.BytesIO(args(tmp_path, build="wheels").pack())) as archive:
        assert ".python_packages/lib/site-packages/azure/functions/__init__.py" in archive.namelist()
    assert asked == [(b"-c constraints.txt\nazure-functions\n", b"azure-functions==1.26.0\n", "3.12")]


def test_packages_that_can_not_be_had_are_told_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UV_DEFAULT_INDEX", "https://127.0.0.1:1/simple")
    monkeypatch.setenv("UV_NO_CACHE", "1")
    monkeypatch.setenv("UV_HTTP_RETRIES", "0")
    with pytest.raises(RuntimeError, match=r"packages can't be had: .*refused.*UV_DEFAULT_INDEX"):
        list(python_wheels.install(b"-c constraints.txt\nazure-functions\n", b"azure-functions==1.26.0\n", "3.12"))


def test_only_the_time_of_a_deployment_needs_a_client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A preview neither packs nor calls."""
    monkeypatch.setattr(PackageArgs, "pack", lambda _: pytest.fail("it was packed"))
    monkeypatch.setattr(one_deploy, "Site", lambda *_: pytest.fail("it was called"))
    run(lambda: FunctionCode("events", args(tmp_path), "/app", "app.scm.example"), preview=True)
