"""The engine's home of an instance (PULUMI_HOME): what the engine keeps of its own, apart from a person's."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from local.instance import Instance


def engine_home(instance: Instance) -> Path:
    """The folder ``<state>/pulumi-home``, made on first use. Its plugins are the person's: hundreds of megabytes.

    A file in the place of its folder ``logs`` keeps the engine from its automatic log, which has no switch yet
    (pulumi/pulumi#22416). With every command that writes down each property of each resource, readable until the
    stack's secrets are open, and takes a third of the engine's processor time (3.259, pkg/logging/encrypted.go).
    ``--logtostderr -v=9`` logs as ever.
    """
    home = instance.state / "pulumi-home"
    home.mkdir(parents=True, exist_ok=True)
    (home / "logs").touch()
    persons = Path(os.environ.get("PULUMI_HOME") or Path("~").expanduser() / ".pulumi") / "plugins"
    plugins = home / "plugins"
    if not plugins.exists():
        with contextlib.suppress(OSError):  # made by another command meanwhile, or the person has no home to write to
            persons.mkdir(parents=True, exist_ok=True)
            plugins.unlink(missing_ok=True)
            plugins.symlink_to(persons.resolve())
    return home
