"""What a shell and the engine are told about an instance."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from local.azure.entra import deployer
from local.commands import engine
from local.commands.env import exports
from local.commands.environment import NotRunning, environment
from local.commands.running import Busy, alone
from local.instance import Instance
from tests import programs


@pytest.fixture
def prepared(tmp_path: Path) -> Instance:
    """An instance with a deployer and tools, of which nothing runs."""
    instance = Instance(tmp_path / "it's a state", 12300)
    instance.keep()
    deployer.prepare(instance)
    tools = {"python": sys.executable, "pulumi": "/nowhere/pulumi", "kubectl": "/nowhere/kubectl"}
    (instance.state / "tools.json").write_text(json.dumps(tools))
    (instance.state / "stand-ins.json").write_text('["pulumi-language-python"]')
    return instance


def test_a_shell_evaluates_the_exports_to_the_same_values(prepared: Instance) -> None:
    variables = environment(prepared)
    dump = f"exec {sys.executable} -c 'import json, os; print(json.dumps(dict(os.environ)))'"
    done = subprocess.run(
        ["/bin/sh", "-c", f"{exports(variables)}\n{dump}"], capture_output=True, text=True, check=True, env={}
    )
    assert json.loads(done.stdout).items() >= variables.items()
    assert done.stderr == ""


def test_the_instance_comes_first_on_path_and_once(prepared: Instance, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", f"/usr/bin:{prepared.bin}:/bin")
    assert environment(prepared)["PATH"].split(":") == [
        str(prepared.bin),
        str(Path(sys.executable).parent),
        "/usr/bin",
        "/bin",
    ]


def test_the_passphrase_is_kept_and_private(prepared: Instance) -> None:
    first = environment(prepared)["PULUMI_CONFIG_PASSPHRASE"]
    assert environment(prepared)["PULUMI_CONFIG_PASSPHRASE"] == first
    assert len(first) > 30
    assert (prepared.state / "passphrase").stat().st_mode & 0o777 == 0o600


def test_downloads_are_off_only_while_stand_ins_are_used(prepared: Instance) -> None:
    name = "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION"
    assert environment(prepared)[name] == "true"
    (prepared.state / "stand-ins.json").write_text("[]")
    assert name not in environment(prepared)


def test_loopback_never_goes_through_a_proxy(prepared: Instance, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "intranet.example")
    assert environment(prepared)["no_proxy"] == "intranet.example,127.0.0.1,localhost"


def test_an_instance_that_was_never_up_is_said_to_be_so(tmp_path: Path) -> None:
    with pytest.raises(NotRunning, match=r"Nothing has been brought up in .*What to do: make up"):
        environment(Instance(tmp_path / "new", 12300))


def test_the_stack_file_has_this_instances_address_and_salt(prepared: Instance, tmp_path: Path) -> None:
    source = tmp_path / "Pulumi.local.yaml"
    source.write_text("encryptionsalt: of-another\nconfig:\n  azure-native:metadataHost: 127.0.0.1:7401\n")
    (prepared.state / "Pulumi.local.yaml").write_text("config: {}\nencryptionsalt: v1:ours\n")
    for _ in range(2):
        text = engine.stack_file(prepared, source).read_text()
    assert "127.0.0.1:12301" in text
    assert text.count("encryptionsalt") == 1
    assert "encryptionsalt: v1:ours\n" in text


def test_two_commands_do_not_work_on_one_instance(prepared: Instance) -> None:
    with alone(prepared), pytest.raises(Busy, match=r"Another command \(process \d+\) works on"):
        alone(prepared).__enter__()
    with alone(prepared):
        pass


def test_the_real_engine_keeps_a_stack_in_one_file(prepared: Instance, tmp_path: Path) -> None:
    (tmp_path / "Pulumi.yaml").write_text("name: kept\nruntime: python\n")
    variables = {**os.environ, **environment(prepared)}
    engine_program = programs.needed("pulumi")["pulumi"]
    subprocess.run(
        [engine_program, "stack", "init", "local", "--non-interactive"],
        cwd=tmp_path, env=variables, check=True, capture_output=True,
    )  # fmt: skip
    kept = {each.name for each in (prepared.state / "pulumi" / ".pulumi" / "stacks" / "kept").iterdir()}
    assert "local.json" in kept
    assert not [each for each in kept if each.endswith(".attrs")]
