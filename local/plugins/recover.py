"""Takes into a stack's state what an interrupted update made and the state does not know, changing nothing of it.

The official azure-native provider fails on such a resource ("cannot create already existing resource",
pulumi-azure-native#4761), and so does our stand-in. There are two traces of it: a pending operation (the engine was
killed), or a resource that the program registers and the state lacks (the answer was lost). What is found at its
endpoint under its own id goes into the state with the inputs that the program gave, as if its creation had been
answered; so the next update changes nothing. The mechanism is `pulumi stack export` and `import`: unlike
`pulumi refresh --import-pending-creates` it keeps the inputs, and asks nothing.
"""

from __future__ import annotations

import json
import logging
import os
import shutil
import socket
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import psutil

from local.instance import REPOSITORY
from local.plugins.lookups import LOOKUPS, Found, Lookup
from local.plugins.naming import urn_name, urn_type
from local.plugins.provider import ProviderError
from local.plugins.values import ENGINE_UNKNOWN, SECRET, SIGNATURE, UNKNOWN, Secret, has_unknown, plain

_log = logging.getLogger(__name__)
_REPEATABLE = ("pulumi-python:", "kubernetes:")
"""Types whose creation may simply run again."""
_COPIED = ("parent", "provider", "dependencies", "propertyDependencies", "aliases", "additionalSecretOutputs")
Resource = dict[str, Any]


class RecoveryError(Exception):
    """The engine refused; what it said."""


def recover(
    stack: str,
    environment: Mapping[str, str],
    config_file: Path | None = None,
    *,
    folder: Path = REPOSITORY,
    thorough: bool = False,
) -> list[str]:
    """What was taken into the state, one line each: type, name and id.

    stack: its name. environment: what pulumi runs with (PATH, backend, passphrase, ARM_*). config_file: the stack's
    file where it is not the usual one. folder: of the program. thorough: look for lost answers even when nothing
    says that the last update failed, which costs a preview.
    Raises RecoveryError when the engine refuses, ProviderError when an endpoint does not answer.
    """
    engine = _Engine(stack, environment, config_file, folder)
    engine.unlock()
    exported = engine.export()
    if exported is None:
        return []
    taken, state = _pending(engine, _State(exported), environment)
    if not (thorough or taken or state.had_pending or engine.failed_last()):
        return []
    undecided = bool(state.resources)
    while undecided:  # what is taken makes the ids of what it holds known: look again until nothing is found
        more, undecided = _registered(engine, state, environment)
        if not more:
            break
        taken += more
    return taken


class _State:
    """An exported deployment, and the lookups of its providers."""

    def __init__(self, exported: dict[str, Any]) -> None:
        self.exported = exported
        self.deployment: dict[str, Any] = exported["deployment"]
        self.resources: list[Resource] = self.deployment.setdefault("resources", []) or []
        self.deployment["resources"] = self.resources
        self.had_pending = bool(self.deployment.get("pending_operations"))
        self._lookups: dict[str, Lookup] = {}

    def urns(self) -> set[str]:
        """Of the resources that it knows and that are to stay."""
        return {each["urn"] for each in self.resources if not each.get("delete")}

    def lookup(self, reference: str, environment: Mapping[str, str]) -> Lookup | None:
        """Where a provider's resources are; None for a provider that we can't ask. reference: urn::id."""
        urn = reference.rpartition("::")[0]
        package = urn_type(urn).rpartition(":")[2] if urn else ""
        if package not in LOOKUPS:
            return None
        if reference not in self._lookups:
            provider = next((each for each in self.resources if each["urn"] == urn), None)
            if provider is None:
                return None
            said = plain(_opened(provider.get("inputs") or {}))
            inputs = {key: value for key, value in said.items() if not key.startswith("__")}
            self._lookups[reference] = LOOKUPS[package](inputs, environment)
        return self._lookups[reference]

    def take(self, made: Resource, found: Found) -> None:
        """Add a resource as it was found."""
        kept = {key: made[key] for key in _COPIED if made.get(key)}
        entry = {"urn": made["urn"], "custom": True, "id": found.id, "type": urn_type(made["urn"]), **kept}
        self.resources.append({**entry, "inputs": made.get("inputs") or {}, "outputs": _closed(found.outputs)})


def _pending(engine: _Engine, state: _State, environment: Mapping[str, str]) -> tuple[list[str], _State]:
    """Settle the creations that a killed engine has noted."""
    taken, left, known = [], [], state.urns()
    for operation in state.deployment.get("pending_operations") or []:
        made = operation["resource"]
        if operation["type"] != "creating":
            continue  # the resource is in the state: the next update or refresh sees how it is
        lookup = state.lookup(made.get("provider", ""), environment)
        found = lookup.find(made["urn"], _opened(made.get("inputs") or {})) if lookup else None
        if found and not found.differs and made["urn"] not in known:
            state.take(made, found)
            taken.append(_line(made, found))
        elif found and found.differs:
            _warn(made, found)
        elif lookup is None and not urn_type(made["urn"]).startswith(_REPEATABLE):
            left.append(operation)
    if state.had_pending:
        state.deployment["pending_operations"] = left
        engine.replace(state.exported)
    return taken, state


def _registered(engine: _Engine, state: _State, environment: Mapping[str, str]) -> tuple[list[str], bool]:
    """Take what the program would create and what is there already; and whether some could not be looked up yet."""
    taken, known, undecided = [], state.urns(), False
    for step in engine.preview():
        made = step.get("newState") or {}
        inputs = _opened(made.get("inputs") or {})
        if step.get("op") != "create" or not made.get("custom") or made.get("urn") in known:
            continue
        if has_unknown(inputs) or not {made.get("parent"), *made.get("dependencies", [])} <= known | {None, ""}:
            undecided = True
            continue
        lookup = state.lookup(made.get("provider", ""), environment)
        found = lookup.find(made["urn"], inputs) if lookup else None
        if found is None:
            continue
        if found.differs:
            _warn(made, found)
            continue
        state.take(made, found)
        known.add(made["urn"])
        taken.append(_line(made, found))
    if taken:
        engine.replace(state.exported)
    return taken, undecided


def _line(made: Resource, found: Found) -> str:
    return f"{urn_type(made['urn'])} {urn_name(made['urn'])}: {found.id}"


def _warn(made: Resource, found: Found) -> None:
    _log.warning(
        "%s exists, but its %s differ from what the program says: it was not taken into the state. "
        "Import it, delete it, or choose another name.",
        found.id,
        ", ".join(found.differs[:5]),
    )


class _Engine:
    """The Pulumi CLI on one stack."""

    def __init__(self, stack: str, environment: Mapping[str, str], config_file: Path | None, folder: Path) -> None:
        program = shutil.which("pulumi", path=environment.get("PATH"))
        if program is None:
            raise RecoveryError("There is no pulumi on the PATH given. Run `make up` once.")
        self._program, self._stack, self._folder = program, stack, folder
        self._environment = dict(environment)
        self._config = ["--config-file", str(config_file)] if config_file else []

    def _run(self, *arguments: str, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
        command = [self._program, *arguments, "--non-interactive"]
        environment = self._environment | {"PULUMI_SKIP_UPDATE_CHECK": "true", "PULUMI_DEBUG_COMMANDS": "false"}
        return subprocess.run(
            command, cwd=self._folder, env=environment, input=stdin, capture_output=True, text=True, check=False
        )

    def _told(self, *arguments: str, stdin: str | None = None) -> str:
        done = self._run(*arguments, stdin=stdin)
        if done.returncode:
            raise RecoveryError(f"pulumi {arguments[0]} {arguments[1]} failed: {done.stderr.strip() or done.stdout}")
        return done.stdout

    def export(self) -> dict[str, Any] | None:
        """The deployment, its secrets in clear and kept in memory only; None when there is no such stack."""
        done = self._run("stack", "export", "--show-secrets", "--stack", self._stack)
        if done.returncode and "no stack named" in done.stderr:
            return None
        if done.returncode:
            raise RecoveryError(f"pulumi stack export failed: {done.stderr.strip() or done.stdout}")
        exported = json.loads(done.stdout)
        exported["deployment"] = exported.get("deployment") or {}
        return exported

    def replace(self, exported: dict[str, Any]) -> None:
        """Put a deployment in the stack's place; secrets are encrypted again."""
        self._told("stack", "import", "--stack", self._stack, stdin=json.dumps(exported))

    def failed_last(self) -> bool:
        """Whether the last operation did not succeed."""
        history = json.loads(
            self._told("stack", "history", "--json", "--stack", self._stack, "--page-size", "1") or "[]"
        )
        return bool(history) and history[0].get("result") != "succeeded"

    def preview(self) -> list[dict[str, Any]]:
        """The steps that the next update would do. A preview that fails half-way has steps too."""
        done = self._run("preview", "--json", "--show-secrets", "--stack", self._stack, *self._config)
        start = done.stdout.find("{")
        try:
            found = json.JSONDecoder().raw_decode(done.stdout[start:])[0] if start >= 0 else {}
        except ValueError:
            found = {}
        if done.returncode and not found.get("steps"):
            raise RecoveryError(f"pulumi preview failed: {done.stderr.strip() or done.stdout[-2000:]}")
        return list(found.get("steps") or [])

    def unlock(self) -> None:
        """Take away the lock of an engine that is gone (file backend only: another's locks are not ours to judge)."""
        backend = urlsplit(self._environment.get("PULUMI_BACKEND_URL", ""))
        if backend.scheme != "file":
            return
        folder = Path(unquote(backend.netloc + backend.path)) / ".pulumi" / "locks"
        for lock in folder.glob(f"**/{self._stack}/*.json"):
            holder = json.loads(lock.read_text())
            if holder.get("hostname") == socket.gethostname() and not _runs(int(holder.get("pid", 0))):
                _log.info("removing the lock of process %s, which is gone", holder.get("pid"))
                lock.unlink(missing_ok=True)


def _runs(pid: int) -> bool:
    return pid != os.getpid() and psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


def _opened(value: Any) -> Any:
    """A value of an exported deployment, its secrets as ``Secret``."""
    match value:
        case dict() if value.get(SIGNATURE) == SECRET:
            return Secret(_opened(json.loads(value["plaintext"])))
        case dict():
            return {key: _opened(each) for key, each in value.items()}
        case list():
            return [_opened(each) for each in value]
    return UNKNOWN if value == ENGINE_UNKNOWN else value


def _closed(value: Any) -> Any:
    """The other way round."""
    match value:
        case Secret():
            return {SIGNATURE: SECRET, "plaintext": json.dumps(_closed(value.value))}
        case Mapping():
            return {key: _closed(each) for key, each in value.items()}
        case list():
            return [_closed(each) for each in value]
    return value


__all__ = ["ProviderError", "RecoveryError", "recover"]
