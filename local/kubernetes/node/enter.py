"""Runs a command inside a running container: ``enter FOLDER PID COMMAND…``. Standard library only.

A program of its own, because a process with threads can't enter another user namespace.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from local.kubernetes.node import identity, linux
from local.kubernetes.node.shim import execute


def main(folder: Path, pid: int, command: list[str]) -> int:
    """Returns the command's exit code; 126 when it can't be started, as a shell has it."""
    spec = json.loads((folder / "spec.json").read_text())
    if spec["namespaces"]:
        kinds = ["pid", "mnt"] if os.geteuid() == 0 else ["user", "pid", "mnt"]
        descriptors = [os.open(f"/proc/{pid}/ns/{kind}", os.O_RDONLY) for kind in kinds]
        for descriptor in descriptors:
            linux.setns(descriptor)
            os.close(descriptor)
    child = os.fork()
    if child == 0:
        try:
            if sys.platform == "linux":
                identity.become(spec)
                linux.die_with_parent(9)
            execute(command, spec["environment"], spec["folder"])
        except OSError as problem:
            sys.stderr.write(f"{problem}\n")
            sys.stderr.flush()
        os._exit(126)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return 128 - code if code < 0 else code


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]))
