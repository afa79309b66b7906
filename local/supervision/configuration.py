"""From daemons to supervisord's configuration file."""

from __future__ import annotations

import hashlib
import os
import shlex
import stat
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

from local.daemon import Daemon
from local.instance import REPOSITORY, Instance
from local.supervision.processes import INSTANCE_VARIABLE

_PASSED_ON = ("HOME", "USER", "LOGNAME", "LANG", "LC_ALL", "TZ", "TMPDIR")
_SOCKET_PATH_LIMIT = 90
"""A Unix socket's path may have 108 bytes on Linux, 104 on macOS; supervisord appends its process id at first."""
_LOG_BYTES = "10MB"


def socket_path(instance: Instance) -> Path:
    """Where supervisord is spoken to: in the state folder unless its path is too long for a socket."""
    wanted = instance.state / "supervisor.sock"
    if len(os.fsencode(wanted)) <= _SOCKET_PATH_LIMIT:
        return wanted
    digest = hashlib.sha256(os.fsencode(instance.state)).hexdigest()[:16]
    folder = Path(tempfile.gettempdir()) / f"tributary-{os.getuid()}-{digest}"
    folder.mkdir(mode=0o700, exist_ok=True)
    status = folder.lstat()
    if status.st_uid != os.getuid() or stat.S_IMODE(status.st_mode) & 0o077:
        raise PermissionError(f"{folder} is not ours alone; remove it, or set TRIBUTARY_STATE to a shorter path")
    return folder / "supervisor.sock"


def path_of(instance: Instance) -> Path:
    """The configuration file."""
    return instance.state / "supervisord.conf"


def render(instance: Instance, daemons: Iterable[Daemon]) -> str:
    """The text of the configuration file.

    Nothing starts by itself: the order and the readiness are ours. What has started is restarted when it ends.
    """
    state = instance.state
    supervisord = {
        "pidfile": state / "supervisord.pid",
        "logfile": instance.logs / "supervisord.log",
        "logfile_maxbytes": _LOG_BYTES,
        "logfile_backups": 1,
        "childlogdir": instance.logs,
        "identifier": "tributary",
        "directory": state,
    }
    if os.geteuid() == 0:
        supervisord["user"] = "root"  # says that we mean it; each daemon may have an account of its own
    sections = [
        _section("supervisord", supervisord),
        _section("unix_http_server", {"file": socket_path(instance), "chmod": "0700"}),
        _section(
            "rpcinterface:supervisor",
            {"supervisor.rpcinterface_factory": "supervisor.rpcinterface:make_main_rpcinterface"},
        ),
    ]
    sections += [_program(instance, each) for each in sorted(daemons, key=lambda each: each.name)]
    return "\n".join(sections)


def _program(instance: Instance, daemon: Daemon) -> str:
    if any("\n" in each for each in daemon.argv):
        raise ValueError(f"an argument of daemon {daemon.name} has a line break, which its configuration can't hold")
    settings = {
        "command": shlex.join(daemon.argv),
        "directory": daemon.folder or instance.state,
        "autostart": "false",
        "autorestart": "true",
        "startsecs": 1,
        "startretries": 8,
        "stopsignal": daemon.stop_signal,
        "stopwaitsecs": 20,
        "killasgroup": "true",
        "redirect_stderr": "true",
        "stdout_logfile": instance.logs / f"{daemon.name}.log",
        "stdout_logfile_maxbytes": _LOG_BYTES,
        "stdout_logfile_backups": 2,
        "environment": ",".join(f"{name}={_quoted(value)}" for name, value in _environment(instance, daemon).items()),
    }
    if daemon.user and os.geteuid() == 0:
        settings["user"] = daemon.user
    return _section(f"program:{daemon.name}", settings)


def _environment(instance: Instance, daemon: Daemon) -> dict[str, str]:
    """What a daemon is given beside supervisord's own environment."""
    own = {} if "-m" not in daemon.argv else {"PYTHONUNBUFFERED": "1", "TRIBUTARY_CODE": _code()}
    return {**own, "TRIBUTARY_STATE": str(instance.state), **daemon.environment}


def _code() -> str:
    """A digest of our own code: a daemon that runs it is started anew when it changes."""
    digest = hashlib.sha256()
    for path in sorted((REPOSITORY / "local").rglob("*")):
        if path.suffix in {".py", ".json", ".yaml"} and path.is_file():
            digest.update(f"{path.relative_to(REPOSITORY)}\0".encode() + path.read_bytes())
    return digest.hexdigest()[:16]


def clean_environment(instance: Instance, path: Sequence[str]) -> dict[str, str]:
    """Supervisord's environment: a person's credentials, proxies and Python settings do not reach the daemons."""
    kept = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    return {**kept, "PATH": os.pathsep.join(path), INSTANCE_VARIABLE: str(instance.state)}


def _section(name: str, settings: dict[str, object] | dict[str, str | int | Path]) -> str:
    lines = [f"{key} = {str(value).replace('%', '%%')}" for key, value in settings.items()]
    return f"[{name}]\n" + "\n".join(lines) + "\n"


def _quoted(value: str) -> str:
    """In double quotes, within which supervisord takes everything literally and knows no escape."""
    if '"' in value or "\n" in value:
        raise ValueError("a value in a daemon's environment has a double quote or a line break; neither can be written")
    return f'"{value}"'
