"""The PostgreSQL cluster behind every local Azure SQL server: made once, reachable on a Unix socket only."""

from __future__ import annotations

import locale
import os
import pwd
import shutil
import subprocess
import sys
from pathlib import Path

import psutil
import psycopg
from psycopg import sql

from local.daemon import Daemon
from local.instance import Instance

SUPERUSER = "postgres"
"""The cluster's own superuser: used by the daemon alone, never given to a client."""
OLDEST = 15
_SOCKET = ".s.PGSQL.5432"
_SOCKET_PATH_LIMIT = 103  # macOS; Linux takes 107

# Statements, their values and the DETAIL of an error may hold personal data: errors of clients are not logged.
_SETTINGS = {
    "listen_addresses": "",
    "unix_socket_directories": "../socket",  # relative to the data folder: a state folder may lie deep
    "unix_socket_permissions": "0700",
    "max_connections": "300",
    "fsync": "on",
    "full_page_writes": "on",
    "synchronous_commit": "on",
    "password_encryption": "scram-sha-256",
    "log_destination": "stderr",
    "logging_collector": "off",
    "log_min_messages": "log",
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_statement": "none",
    "log_min_duration_statement": "-1",
    "log_connections": "off",
    "log_disconnections": "off",
}
_HBA = """\
# The socket's folder opens to the daemon's account only; the proxy has verified an Entra token before it comes here.
local all all trust
"""


def folder(instance: Instance) -> Path:
    """Everything of the cluster; only the daemon's account may enter."""
    return instance.state / "postgres"


def socket_folder(instance: Instance) -> Path:
    """Where PostgreSQL listens."""
    return folder(instance) / "socket"


class Socket:
    """The address of the cluster's Unix socket, short enough for the kernel however deep the state folder lies."""

    def __init__(self, instance: Instance) -> None:
        self._folder = socket_folder(instance)
        self._descriptor: int | None = None

    @property
    def folder(self) -> str:
        """What libpq calls the host. Raises OSError when the folder is too deep and /proc is not there."""
        plain = str(self._folder)
        if len(os.fsencode(f"{plain}/{_SOCKET}")) <= _SOCKET_PATH_LIMIT:
            return plain
        if self._descriptor is None:
            if not Path("/proc/self/fd").is_dir():
                raise OSError(
                    f"the path of the socket, {plain}/{_SOCKET}, is longer than {_SOCKET_PATH_LIMIT} bytes; "
                    "set TRIBUTARY_STATE to a shorter path"
                )
            self._descriptor = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        return f"/proc/self/fd/{self._descriptor}"

    @property
    def path(self) -> str:
        """The socket itself."""
        return f"{self.folder}/{_SOCKET}"

    def close(self) -> None:
        """Give the descriptor back."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def prepare(instance: Instance, programs: Path) -> None:
    """Make the cluster if there is none yet, write its settings, and clear what a crash left behind.

    programs: folder with initdb and postgres. Raises RuntimeError when initdb fails or the version does not fit.
    """
    home, data = folder(instance), folder(instance) / "data"
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    home.chmod(0o700)
    version = _major(programs)
    for each in (home / "fresh", socket_folder(instance)):
        each.mkdir(exist_ok=True, mode=0o700)
        _own(each)
    if not data.exists():
        _initialise(home, programs)
    shutil.rmtree(home / "fresh", ignore_errors=True)
    kept = int((data / "PG_VERSION").read_text())
    if kept != version:
        raise RuntimeError(
            f"{data} was made by PostgreSQL {kept}, {programs} is {version}. "
            f"Provide PostgreSQL {kept}, or remove the local data with `make clean`."
        )
    _write(data / "pg_hba.conf", _HBA)
    _write(data / "pg_ident.conf", "# unused\n")
    lines = "".join(f"{name} = '{value}'\n" for name, value in _SETTINGS.items())
    _write(data / "tributary.conf", lines)
    main = (data / "postgresql.conf").read_text()
    if "include = 'tributary.conf'" not in main:
        _write(data / "postgresql.conf", main.rstrip() + "\ninclude = 'tributary.conf'\n")
    _clear_stale_lock(data)


def daemon(instance: Instance, programs: Path) -> Daemon:
    """The supervised server; INT is its fast shutdown, which does not wait for clients."""
    data = folder(instance) / "data"
    return Daemon(
        name="postgres",
        argv=[*unprivileged(), str(programs / "postgres"), "-D", str(data)],
        ready=lambda: is_ready(instance),
        folder=Path("/"),
        stop_signal="INT",
    )


def is_ready(instance: Instance) -> bool:
    """Whether the cluster answers a query now."""
    socket = Socket(instance)
    try:
        with psycopg.connect(host=socket.folder, user=SUPERUSER, dbname="postgres", connect_timeout=2) as session:
            return session.execute("SELECT NOT pg_is_in_recovery()").fetchone() == (True,)
    except (psycopg.OperationalError, OSError):
        return False
    finally:
        socket.close()


def _initialise(home: Path, programs: Path) -> None:
    """Initdb into a scratch folder that becomes the data folder only when whole."""
    target = home / "fresh" / "data"
    if target.exists():
        shutil.rmtree(target)
    arguments = ["-D", str(target), "-U", SUPERUSER, "-E", "UTF8", "--auth=trust", f"--locale={_locale()}"]
    done = subprocess.run(
        [*unprivileged(), str(programs / "initdb"), *arguments], capture_output=True, text=True, cwd="/", check=False
    )
    if done.returncode:
        raise RuntimeError(f"{programs / 'initdb'} ended with {done.returncode}: {done.stderr.strip()[-2000:]}")
    # Every role may enter a database only where it was let in: not even the two that each cluster has.
    revoke = b"".join(
        sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC;\n").format(sql.Identifier(each)).as_bytes(None)
        for each in ("postgres", "template1")
    )
    done = subprocess.run(
        [*unprivileged(), str(programs / "postgres"), "--single", "-D", str(target), "postgres"],
        input=revoke,
        capture_output=True,
        cwd="/",
        check=False,
    )
    if done.returncode or b"ERROR" in done.stderr:
        raise RuntimeError(f"closing the new cluster's databases failed: {done.stderr.decode()[-2000:]}")
    target.rename(home / "data")


def _locale() -> str:
    """UTF-8 character classes where the C library has them, and byte order for sorting either way."""
    current = locale.setlocale(locale.LC_CTYPE)
    try:
        locale.setlocale(locale.LC_CTYPE, "C.UTF-8")
    except locale.Error:
        return "C"
    locale.setlocale(locale.LC_CTYPE, current)
    return "C.UTF-8"


def _major(programs: Path) -> int:
    done = subprocess.run([str(programs / "postgres"), "--version"], capture_output=True, text=True, check=True)
    major = int(done.stdout.split()[2].split(".")[0].rstrip("abcdefghijklmnopqrstuvwxyz"))
    if major < OLDEST:
        raise RuntimeError(f"{programs} is PostgreSQL {major}; {OLDEST} or newer is needed. Put a newer one on PATH.")
    return major


def account() -> pwd.struct_passwd | None:
    """Whom PostgreSQL runs as when we are root, which it refuses; None keeps our own account."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise RuntimeError("PostgreSQL refuses to run as root, and there is no account postgres or nobody. Create one.")


def unprivileged() -> list[str]:
    """The command that starts a program as that account.

    Its one capability lets it pass folders that only root may enter (a root's home, the state folder), which would
    otherwise have to be opened to everyone.
    """
    who = account()
    if who is None:
        return []
    program = shutil.which("setpriv")
    if program is None or sys.platform != "linux":
        raise RuntimeError("as root, PostgreSQL is started by setpriv (util-linux), which is not there. Install it.")
    bounding = int(_status("CapBnd"), 16)
    capability = "dac_read_search" if bounding >> 2 & 1 else "dac_override"  # containers often lack the narrower one
    keep = f"-all,+{capability}"
    return [
        program,
        f"--reuid={who.pw_uid}",
        f"--regid={who.pw_gid}",
        "--clear-groups",
        f"--inh-caps={keep}",
        f"--ambient-caps={keep}",
        f"--bounding-set={keep}",
    ]


def _status(field: str) -> str:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(line.split()[1] for line in lines if line.startswith(field + ":"))


def _own(path: Path) -> None:
    who = account()
    if who is not None:
        os.chown(path, who.pw_uid, who.pw_gid)


def _write(path: Path, text: str) -> None:
    scratch = path.with_name(path.name + ".new")
    scratch.write_text(text)
    scratch.chmod(0o600)
    _own(scratch)
    scratch.replace(path)


def _clear_stale_lock(data: Path) -> None:
    """Remove postmaster.pid when its process is another program's by now: PostgreSQL would refuse to start."""
    lock = data / "postmaster.pid"
    if not lock.exists():
        return
    try:
        process = psutil.Process(int(lock.read_text().splitlines()[0]))
        if Path(process.cwd()) == data and "postgres" in process.name():
            return
    except (psutil.Error, IndexError, ValueError):
        pass
    lock.unlink(missing_ok=True)
