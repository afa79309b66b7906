"""The real Pulumi engine on an instance: its environment, its stack file, and what a killed run left locked."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import psutil

from local.commands.environment import backend, environment, tools
from local.instance import DEFAULT_PORT_BASE, REPOSITORY, Instance
from local.supervision import processes
from local.toolchain.cache import write

STACK = "local"
ENGINE_VARIABLE = "TRIBUTARY_ENGINE"
"""In the environment of an engine that a command of ours started: the state folder."""
_COLLECTS_LATER = {"GOGC": "400"}
"""Go's collector runs when the heap has grown fivefold, not twofold: a sixth of the engine's processor time for memory
that a machine which runs a cluster has. A person's own GOGC goes before it."""
_SALT = re.compile(r"^encryptionsalt: .*$", re.MULTILINE)
_NOTICE = re.compile(r"warning: using pulumi-\S+ from \$PATH at \S+\n?")


class EngineFailed(Exception):
    """The engine ended with an exit code other than 0. output: what it printed."""

    def __init__(self, code: int, output: str) -> None:
        super().__init__(f"pulumi ended with {code}")
        self.code, self.output = code, output


class StackLocked(Exception):
    """Somebody else works on the stack."""


def pulumi(
    instance: Instance,
    *arguments: str,
    folder: Path = REPOSITORY,
    on_line: Callable[[str], None] | None = None,
    extra: dict[str, str] | None = None,
) -> str:
    """Run the engine, without a terminal and without questions; returns what it prints.

    folder: of the program. on_line: called with each line as it comes, standard error's too.
    extra: variables beside the instance's. Raises EngineFailed; EngineFailed.output holds both streams.
    """
    variables = {
        **_COLLECTS_LATER,
        **os.environ,
        **environment(instance),
        ENGINE_VARIABLE: str(instance.state),
        **(extra or {}),
    }
    command = [tools(instance)["pulumi"], *arguments, "--non-interactive", "--color=never"]
    error = subprocess.STDOUT if on_line else subprocess.PIPE
    with subprocess.Popen(
        command,
        cwd=folder,
        env=variables,
        text=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=error,
        start_new_session=True,  # Ctrl-C reaches it once, through us: a second one would have it drop what it does
    ) as process:
        try:
            if on_line is None:
                output, errors = process.communicate()
            else:
                output, errors = "", ""
                for line in process.stdout or ():
                    output += line
                    on_line(line.rstrip("\n"))
        except BaseException:
            _interrupt(process)
            raise
    if process.returncode:
        raise EngineFailed(process.returncode, _NOTICE.sub("", output + (errors or "")))
    return output


def elsewhere(instance: Instance, arguments: Sequence[str], folder: Path, variables: Mapping[str, str]) -> str:
    """Run the engine on a backend that is not the instance's, in the environment given; returns what it prints.

    Raises EngineFailed.
    """
    found = os.pathsep.join([str(instance.bin), str(Path(sys.executable).parent), variables.get("PATH", "")])
    done = subprocess.run(
        [tools(instance)["pulumi"], *arguments, "--non-interactive", "--color=never"],
        cwd=folder,
        env={**variables, "PATH": found},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise EngineFailed(done.returncode, _NOTICE.sub("", done.stdout + done.stderr))
    return done.stdout


def _interrupt(process: subprocess.Popen[str]) -> None:
    """Let the engine finish the operation under way: what it started in the cloud must reach its state."""
    with contextlib.suppress(ProcessLookupError):
        process.send_signal(signal.SIGINT)
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()


def stack_file(instance: Instance, source: Path | None = None) -> Path:
    """The stack's configuration for this instance, ``<state>/Pulumi.local.yaml``.

    A copy of the repository's file: with the instance's ARM address, and with the salt of the instance's
    passphrase, neither of which belongs into version control.
    """
    text = (source or REPOSITORY / f"Pulumi.{STACK}.yaml").read_text()
    text = text.replace(f"127.0.0.1:{DEFAULT_PORT_BASE + 1}", instance.arm)
    path = instance.state / f"Pulumi.{STACK}.yaml"
    salt = _SALT.search(path.read_text()) if path.exists() else None
    if salt:  # another instance's, which `pulumi` may have written into the repository's file, fits no passphrase here
        text = f"{_SALT.sub('', text).rstrip()}\n{salt.group()}\n"
    write(path, text)
    return path


def stack_arguments(instance: Instance) -> Sequence[str]:
    """How every command names the stack and its configuration."""
    return ("--stack", STACK, "--config-file", str(stack_file(instance)))


def ensure_stack(instance: Instance, folder: Path = REPOSITORY) -> None:
    """Create the stack where it is not there yet. Raises EngineFailed."""
    project = project_name(folder)
    if (backend(instance) / ".pulumi" / "stacks" / project / f"{STACK}.json").exists():
        return
    stack_file(instance)
    # The engine writes the salt beside the project's own file when it creates a stack: let that be a copy.
    scratch = instance.state / "project"
    scratch.mkdir(exist_ok=True)
    (scratch / "Pulumi.yaml").write_text(f"name: {project}\nruntime: python\n")
    pulumi(instance, "stack", "select", "--create", STACK, folder=scratch)
    made = scratch / f"Pulumi.{STACK}.yaml"
    salt = _SALT.search(made.read_text()) if made.exists() else None
    if salt:
        path = instance.state / f"Pulumi.{STACK}.yaml"
        write(path, _SALT.sub("", path.read_text()).rstrip("\n") + f"\n{salt.group()}\n")


def project_name(folder: Path) -> str:
    """The project's name in ``Pulumi.yaml``."""
    found = re.search(r"^name:\s*(\S+)", (folder / "Pulumi.yaml").read_text(), re.MULTILINE)
    if found is None:
        raise ValueError(f"{folder / 'Pulumi.yaml'} has no name")
    return found.group(1)


def unlock(instance: Instance, folder: Path = REPOSITORY) -> None:
    """Remove what a killed run left: its engine, when that still runs, and its lock.

    Raises StackLocked when somebody's own `pulumi` holds the lock.
    """
    end_left_behind(instance)
    locks = list((backend(instance) / ".pulumi" / "locks").rglob(f"{STACK}/*.json"))
    for lock in locks:
        if holder := _holder(lock):
            raise StackLocked(
                f"Stack {STACK} is being worked on by another pulumi (process {holder}). Wait for it, or end it."
            )
    if locks:
        pulumi(instance, "cancel", "--yes", STACK, folder=folder)


def _holder(lock: Path) -> int | None:
    """The process that holds a lock of the file backend; None when it is gone, whoever has its number by now."""
    try:
        holder = psutil.Process(int(json.loads(lock.read_text())["pid"]))
        alive = holder.status() != psutil.STATUS_ZOMBIE and holder.name() == "pulumi"
        # Linux tells when the machine was started in whole seconds, and a process's beginning from there.
        return holder.pid if alive and holder.create_time() <= lock.stat().st_mtime + 5 else None
    except (OSError, ValueError, KeyError, psutil.Error):
        return None


def end_left_behind(instance: Instance) -> None:
    """End engines that a killed command of ours started and could not end, then what they left of their plugins."""
    left = [each for each in psutil.process_iter() if _is_of_engine(each, instance)]
    engines = [each for each in left if _name(each) == "pulumi"]
    processes.end(engines, 30)
    processes.end([each for each in left if each not in engines])


def _is_of_engine(process: psutil.Process, instance: Instance) -> bool:
    try:
        return process.environ().get(ENGINE_VARIABLE) == str(instance.state)
    except (psutil.Error, OSError):
        return False


def _name(process: psutil.Process) -> str:
    try:
        return process.name()
    except psutil.Error:
        return ""


def pending_operations(instance: Instance, folder: Path = REPOSITORY) -> int:
    """How many operations a killed update had begun without writing down their end."""
    path = backend(instance) / ".pulumi" / "stacks" / project_name(folder) / f"{STACK}.json"
    try:
        return len(json.loads(path.read_text())["checkpoint"]["latest"].get("pending_operations") or ())
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return 0


def outputs(instance: Instance, folder: Path = REPOSITORY) -> dict[str, object]:
    """The stack's outputs, secrets hidden."""
    return json.loads(pulumi(instance, "stack", "output", "--json", "--stack", STACK, folder=folder))
