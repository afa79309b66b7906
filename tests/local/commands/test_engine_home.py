"""The engine's own home beside an instance's state."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from local.commands.engine_home import engine_home
from local.instance import Instance
from tests import programs


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Of an instance, on the machine of a person with a home of their own."""
    monkeypatch.setenv("PULUMI_HOME", str(tmp_path / "persons"))
    return engine_home(Instance(tmp_path / "state", 12300))


def test_the_real_engine_works_in_it_and_writes_no_log(home: Path) -> None:
    pulumi = programs.needed("pulumi")["pulumi"]
    variables = {**os.environ, "PULUMI_HOME": str(home), "PULUMI_SKIP_UPDATE_CHECK": "true"}
    subprocess.run([pulumi, "plugin", "ls", "--json"], env=variables, check=True, capture_output=True)
    assert (home / "logs").read_bytes() == b""


def test_plugins_are_the_persons(home: Path, tmp_path: Path) -> None:
    (tmp_path / "persons" / "plugins" / "resource-azure-native-v3.29.0").mkdir()
    assert [each.name for each in (home / "plugins").iterdir()] == ["resource-azure-native-v3.29.0"]


def test_it_is_the_same_again_and_in_a_shell_of_another_instance(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PULUMI_HOME", str(home))
    other = engine_home(Instance(tmp_path / "other", 12400))
    assert engine_home(Instance(tmp_path / "state", 12300)) == home
    assert (home / "plugins").readlink() == (other / "plugins").readlink() == tmp_path / "persons" / "plugins"


def test_a_link_to_what_is_gone_is_made_anew(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "persons" / "plugins").rmdir()
    monkeypatch.setenv("PULUMI_HOME", str(tmp_path / "another"))
    engine_home(Instance(tmp_path / "state", 12300))
    assert (home / "plugins").readlink() == tmp_path / "another" / "plugins"
