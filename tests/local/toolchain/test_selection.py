"""What of the machine's own tools is used, and what a person is told when nothing can be had."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from local.instance import REPOSITORY
from local.toolchain import cache, downloads, golang, packages, plugins, programs, runtimes
from local.toolchain.errors import ToolchainError

DEAD = "http://127.0.0.1:1"


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRIBUTARY_CACHE", str(tmp_path / "cache"))


def _program(folder: Path, name: str, says: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(f'#!/bin/sh\necho "asked" >> "{path}.log"\necho "{says}"\n')
    path.chmod(0o755)
    return path


def _only(monkeypatch: pytest.MonkeyPatch, *folders: Path) -> None:
    monkeypatch.setenv("PATH", os.pathsep.join([*map(str, folders), "/usr/bin", "/bin"]))


def test_the_first_fitting_program_on_path_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _program(tmp_path / "old", "etcd", "etcd Version: 3.4.1")
    fitting = _program(tmp_path / "new", "etcd", "etcd Version: 3.6.9")
    _only(monkeypatch, tmp_path / "old", tmp_path / "new")
    assert programs.get(programs.ETCD) == {"etcd": fitting}


def test_a_program_is_asked_for_its_version_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = _program(tmp_path / "bin", "etcd", "etcd Version: 3.6.9")
    _only(monkeypatch, tmp_path / "bin")
    for _ in range(3):
        programs.get(programs.ETCD)
    assert Path(f"{program}.log").read_text() == "asked\n"


def test_a_part_of_the_control_plane_does_not_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _program(tmp_path / "bin", "kubectl", "Client Version: v1.34.1")
    _only(monkeypatch, tmp_path / "bin")
    found, misfits = programs._on_path(programs.KUBERNETES)
    assert list(found) == ["kubectl"]
    assert "PATH: no kube-apiserver" in misfits


def test_old_node_and_old_postgres_are_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _program(tmp_path / "old", "node", "v20.1.0")
    node = _program(tmp_path / "new", "node", "v22.3.0")
    for name in ("initdb", "psql", "pg_ctl"):
        _program(tmp_path / "old", name, "")
        _program(tmp_path / "new", name, "")
    _program(tmp_path / "old", "postgres", "postgres (PostgreSQL) 13.2")
    _program(tmp_path / "new", "postgres", "postgres (PostgreSQL) 17.1")
    _only(monkeypatch, tmp_path / "old", tmp_path / "new")
    assert runtimes.node() == node
    assert runtimes.postgres() == tmp_path / "new"


def test_what_can_not_be_had_is_named_with_every_attempt_and_the_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    go = golang.go()
    monkeypatch.setattr(golang, "_go", go)
    _program(tmp_path / "bin", "etcd", "etcd Version: 3.4.1")
    _only(monkeypatch, tmp_path / "bin")
    monkeypatch.setattr(downloads, "_unreachable", {})
    for name in ("HTTPS_PROXY", "https_proxy", "GOPROXY"):
        monkeypatch.setenv(name, DEAD)
    monkeypatch.setenv("GOMODCACHE", str(tmp_path / "modules"))
    with pytest.raises(ToolchainError) as raised:
        programs.get(programs.ETCD)
    text = str(raised.value)
    assert text.startswith("Could not get etcd 3.6.5. Tried:\n")
    assert f"{tmp_path}/bin/etcd: 3.4.1; 3.5 or 3.6 is needed" in text
    assert "download: https://github.com/" in text
    assert f"module proxy {DEAD}" in text
    assert "What to do: put etcd 3.5 or 3.6 on PATH" in text
    assert not (cache.root() / "etcd-3.6.5").exists()


def test_a_host_that_can_not_be_reached_is_asked_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def refuse(url: str, timeout: float) -> None:
        asked.append(url)
        raise OSError("no route")

    monkeypatch.setattr(downloads, "_unreachable", {})
    monkeypatch.setattr(downloads.urllib.request, "urlopen", refuse)
    for name in ("a", "b"):
        with pytest.raises(downloads.DownloadFailed, match=r"example\.org can't be reached \(no route\)"):
            downloads.fetch(f"https://example.org/{name}", tmp_path / name)
    assert asked == ["https://example.org/a"]


def test_without_a_package_index_the_person_is_told_how_to_provide_one(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PIP_INDEX_URL", "HTTPS_PROXY", "https_proxy"):
        monkeypatch.setenv(name, DEAD)
    monkeypatch.setenv("PIP_FIND_LINKS", "")
    with pytest.raises(ToolchainError, match=r"(?s)^Could not get uv .*What to do: .*PIP_INDEX_URL=") as raised:
        packages.uv()
    assert "Traceback" not in str(raised.value)


def test_an_old_interpreter_gets_one_clear_error() -> None:
    main = REPOSITORY / "local" / "toolchain" / "__main__.py"
    old = f"import sys, runpy; sys.version_info = (3, 9, 2); runpy.run_path({str(main)!r}, run_name='__main__')"
    done = subprocess.run([sys.executable, "-c", old], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("Tributary needs Python 3.11 or newer; ")
    assert "Traceback" not in done.stderr


def test_a_stand_in_is_launched_only_where_the_official_plugin_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = _program(tmp_path / "engine", "pulumi", "v3.259.0")
    _program(tmp_path / "engine", "pulumi-language-python", "")
    _only(monkeypatch, tmp_path / "engine")
    tools = {"pulumi": str(engine), "kubectl": str(engine), "python": sys.executable}
    bin_folder = tmp_path / "state" / "bin"
    stand_ins = plugins.write_launchers(bin_folder, tools, official={"kubernetes"})
    assert stand_ins == ["pulumi-resource-azure-native", "pulumi-resource-pulumi-python"]
    assert (bin_folder / "pulumi-language-python").readlink() == tmp_path / "engine" / "pulumi-language-python"
    assert plugins.write_launchers(bin_folder, tools, official={"kubernetes", "azure-native"}) == [
        "pulumi-resource-pulumi-python"
    ]
    assert not (bin_folder / "pulumi-resource-azure-native").exists()
