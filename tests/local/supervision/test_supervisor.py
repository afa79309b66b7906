"""Daemons come up in order, come back when killed, and leave nothing when they are stopped."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from local.daemon import Daemon
from local.instance import Instance
from local.supervision import configuration, processes
from local.supervision.ports import PortTaken
from local.supervision.supervisor import SupervisionError, Supervisor
from local.toolchain.progress import Progress
from tests.conftest import _claim

SERVER = """
import pathlib, socket, subprocess, sys, time
pathlib.Path(sys.argv[2]).open("a").write(sys.argv[3] + "\\n")
child = subprocess.Popen(["sleep", "1000"])
with socket.create_server(("127.0.0.1", int(sys.argv[1]))) as server:
    while True:
        server.accept()[0].close()
"""


@pytest.fixture
def alone(tmp_path: Path) -> Iterator[Supervisor]:
    """A supervisor with a state folder and ports of its own."""
    base, claim = _claim(tmp_path)
    supervisor = Supervisor(Instance(tmp_path / "state", base), Progress(quiet=True))
    supervisor.instance.keep()
    yield supervisor
    claim.close()
    if supervisor.running():  # ending it in order takes seconds, and one test is about that
        _kill_supervisord(supervisor)
    for each in processes.of_instance(supervisor.instance.state, containers=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            each.kill()


def _listens(port: int) -> Callable[[], bool]:
    def ready() -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    return ready


def _daemon(supervisor: Supervisor, name: str, port: str, after: tuple[str, ...] = (), word: str = "") -> Daemon:
    number = supervisor.instance.port(port)
    order, program = supervisor.instance.state / "order", supervisor.instance.state / "server.py"
    program.write_text(SERVER)
    return Daemon(
        name=name,
        argv=[sys.executable, str(program), str(number), str(order), name + word],
        ready=_listens(number),
        after=after,
    )


def _daemons(supervisor: Supervisor, word: str = "") -> list[Daemon]:
    return [
        _daemon(supervisor, "last", "etcd-peer", after=("middle",)),
        _daemon(supervisor, "middle", "etcd-client", after=("first",), word=word),
        _daemon(supervisor, "first", "kube-apiserver"),
    ]


def _pids(supervisor: Supervisor) -> dict[str, int]:
    return {each["name"]: each["pid"] for each in supervisor._call("getAllProcessInfo")}


def _kill_supervisord(supervisor: Supervisor) -> None:
    pid = supervisor._pid()
    assert pid is not None
    os.kill(pid, signal.SIGKILL)


def _order(supervisor: Supervisor) -> list[str]:
    return (supervisor.instance.state / "order").read_text().split()


def test_each_daemon_starts_when_what_it_needs_is_ready_and_only_once(alone: Supervisor) -> None:
    alone.up(_daemons(alone))
    before = _pids(alone)
    alone.up(_daemons(alone))
    assert _order(alone) == ["first", "middle", "last"]
    assert _pids(alone) == before


def test_a_killed_daemon_comes_back(alone: Supervisor) -> None:
    alone.up(_daemons(alone))
    before = _pids(alone)
    for child in psutil.Process(before["middle"]).children():
        child.kill()
    os.kill(before["middle"], signal.SIGKILL)
    while _pids(alone)["middle"] in (before["middle"], 0):
        time.sleep(0.05)
    alone.up(_daemons(alone))
    after = _pids(alone)
    assert {name for name in after if after[name] != before[name]} == {"middle"}
    assert all(each.ready() for each in _daemons(alone))


def test_a_killed_supervisor_leaves_no_second_set_of_daemons(alone: Supervisor) -> None:
    alone.up(_daemons(alone))
    before = _pids(alone)
    _kill_supervisord(alone)
    alone.up(_daemons(alone))
    assert not set(before.values()) & set(_pids(alone).values())
    assert not any(map(psutil.pid_exists, before.values()))
    ours = processes.of_instance(alone.instance.state, containers=True)
    assert len(ours) == 1 + 2 * 3  # supervisord; three daemons and the child of each


def test_only_a_daemon_that_changed_is_started_anew(alone: Supervisor) -> None:
    alone.up(_daemons(alone))
    before = _pids(alone)
    for child in psutil.Process(before["middle"]).children():
        child.kill()
    alone.up(_daemons(alone, word="-changed"))
    after = _pids(alone)
    assert {name for name in after if after[name] != before[name]} == {"middle"}
    assert _order(alone)[-1] == "middle-changed"


def test_a_port_of_somebody_else_is_named_with_its_owner(alone: Supervisor) -> None:
    with socket.create_server(("127.0.0.1", alone.instance.port("etcd-client"))), pytest.raises(PortTaken) as raised:
        alone.up(_daemons(alone))
    text = str(raised.value)
    assert f"{alone.instance.port('etcd-client')} (etcd-client): in use by python" in text
    assert f"(process {os.getpid()})" in text
    assert "TRIBUTARY_PORT_BASE=" in text
    assert not alone.running()


def test_containers_outlive_a_restart_but_not_the_end_and_nothing_else_does(alone: Supervisor) -> None:
    folder = alone.instance.kubernetes / "container"
    folder.mkdir(parents=True)
    names = ["local.kubernetes.node.shim", str(folder)]
    code = "import subprocess, time; subprocess.Popen(['sleep', '1000']); time.sleep(1000)"
    with subprocess.Popen([sys.executable, "-c", code, *names], env={}, start_new_session=True) as shim:
        try:
            alone.up(_daemons(alone)[-1:])
            _kill_supervisord(alone)
            alone.up(_daemons(alone)[-1:])
        except BaseException:
            shim.kill()
            raise
        assert shim.poll() is None
        child = psutil.Process(shim.pid).children()[0]
        alone.down()
        assert shim.poll() is not None
        assert not child.is_running()
    assert processes.of_instance(alone.instance.state, containers=True) == []


def test_daemons_are_not_given_the_persons_credentials(alone: Supervisor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_CLIENT_SECRET", "of the person")
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy:3128")
    alone.up(_daemons(alone)[-1:])
    given = psutil.Process(_pids(alone)["first"]).environ()
    assert not {"AZURE_CLIENT_SECRET", "HTTPS_PROXY"} & given.keys()
    assert given["TRIBUTARY_STATE"] == str(alone.instance.state)


def test_a_value_with_commas_backslashes_and_percent_signs_reaches_the_daemon(alone: Supervisor) -> None:
    value = "it's \\ %(c)s, d=e"
    daemon = _daemon(alone, "first", "kube-apiserver")
    alone.up([Daemon(name="first", argv=daemon.argv, ready=daemon.ready, environment={"STRANGE": value})])
    assert psutil.Process(_pids(alone)["first"]).environ()["STRANGE"] == value


def test_a_long_state_folder_still_gets_a_socket(tmp_path: Path) -> None:
    long = Instance(tmp_path / ("x" * 100), 12000)
    assert len(str(configuration.socket_path(long))) < 100


def test_a_daemon_that_waits_for_an_unknown_one_is_refused(alone: Supervisor) -> None:
    with pytest.raises(SupervisionError, match="last → nobody"):
        alone.up([_daemon(alone, "last", "etcd-peer", after=("nobody",))])


@pytest.mark.full  # supervisord tries again after one, two and three seconds
def test_a_daemon_that_ends_at_once_is_reported_with_its_log(alone: Supervisor) -> None:
    broken = Daemon(name="broken", argv=[sys.executable, "-c", "raise SystemExit('no such flag')"], ready=lambda: False)
    with pytest.raises(SupervisionError, match=r"(?s)broken ends as soon as it is started\..*no such flag"):
        alone.up([broken])
