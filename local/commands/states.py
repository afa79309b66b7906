"""States: a file that `pulumi stack export` wrote, as a stack of a backend that is gone afterwards."""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from local.commands import engine
from local.instance import Instance

_HOW = "`pulumi stack export --file <file>` writes one."


@dataclass(frozen=True)
class State:
    """A state in a file, and whose it is."""

    file: Path
    stack: str
    project: str


def exported(file: Path) -> State:
    """What a file holds. Raises ValueError, with file and line, when that is no state."""
    try:
        kept = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise ValueError(f"{file}:1: can't be read: {error.strerror}. {_HOW}") from None
    except UnicodeDecodeError:
        raise ValueError(f"{file}:1: is no text. A state is JSON; {_HOW}") from None
    except json.JSONDecodeError as error:
        raise ValueError(f"{file}:{error.lineno}: {error.msg}. A state is JSON; {_HOW}") from None
    deployment = kept.get("deployment") if isinstance(kept, dict) else None
    if not isinstance(deployment, dict) or "version" not in kept:
        raise ValueError(f"{file}:1: is JSON, but no state: it has no version and deployment. {_HOW}")
    urns = [each.get("urn", "") for each in deployment.get("resources") or [] if isinstance(each, dict)]
    parts = urns[0].removeprefix("urn:pulumi:").split("::") if urns else ["empty", "tributary"]
    if len(parts) < 2:
        raise ValueError(f"{file}:1: its first resource has no URN, urn:pulumi:<stack>::<project>::…. {_HOW}")
    return State(file, parts[0], parts[1])


@contextlib.contextmanager
def loaded(state: State) -> Iterator[tuple[Path, dict[str, str]]]:
    """The folder of a project whose stack has the state, and the environment of its backend.

    A state with secrets needs their provider, e.g. PULUMI_CONFIG_PASSPHRASE. Raises engine.EngineFailed.
    """
    with tempfile.TemporaryDirectory(prefix="tributary-state-") as scratch:
        folder = Path(scratch)
        (folder / "backend").mkdir()
        (folder / "Pulumi.yaml").write_text(f"name: {state.project}\nruntime: python\n")
        variables = {"PULUMI_CONFIG_PASSPHRASE": "of nothing that is kept", **os.environ}
        variables |= {"PULUMI_BACKEND_URL": f"file://{folder / 'backend'}", "PULUMI_SKIP_UPDATE_CHECK": "true"}
        instance = Instance.load()
        engine.elsewhere(instance, ["stack", "init", state.stack], folder, variables)
        asked = ["stack", "import", "--stack", state.stack, "--file", str(state.file.absolute())]
        engine.elsewhere(instance, asked, folder, variables)
        yield folder, variables
