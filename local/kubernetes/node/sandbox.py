"""A container's view of the files: a root of its own, made of read-only binds and its volumes.

Runs in the container's process before it executes its command. Needs a mount namespace; with a user namespace around
it, no privilege. Standard library only.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from local.kubernetes.node import linux

SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/etc", "/nix", "/sys")
"""What stands for a base image: the machine's own system folders."""
_DEVICES = ("null", "zero", "full", "random", "urandom", "tty")
_LINKS = {"fd": "/proc/self/fd", "stdin": "/proc/self/fd/0", "stdout": "/proc/self/fd/1", "stderr": "/proc/self/fd/2"}


class Root:
    """The new root under construction.

    folder: where it is built. targets: every path that something is mounted at later.
    """

    def __init__(self, folder: str, targets: list[str]) -> None:
        self.folder, self.targets = folder, targets

    def inside(self, path: str) -> str:
        """Where a path of the container is now; symbolic links are followed inside the new root only."""
        rest, real = [each for each in path.split("/") if each], ""
        for _ in range(400):
            if not rest:
                return self.folder + real
            name = rest.pop(0)
            if name == "..":
                real = real.rpartition("/")[0]
                continue
            here = f"{real}/{name}"
            if not Path(self.folder + here).is_symlink():
                real = here
                continue
            link = str(Path(self.folder + here).readlink())
            rest = [each for each in link.split("/") if each and each != "."] + rest
            real = "" if link.startswith("/") else real
        raise OSError(f"{path}: too many symbolic links")

    def expose(self, path: str, source: str = "") -> None:
        """Show a file or folder of the machine read-only, at the same path or where ``source`` says it comes from.

        A folder that holds a mount target is rebuilt entry by entry: nothing may be created in the machine's own.
        """
        if path in self.targets:
            return
        origin, target = Path(source or path), Path(self.folder + path)
        if origin.is_symlink():
            target.parent.mkdir(parents=True, exist_ok=True)
            if not target.is_symlink():
                target.symlink_to(origin.readlink())
        elif any(each.startswith(path + "/") for each in self.targets):
            target.mkdir(parents=True, exist_ok=True)
            for entry in sorted(origin.iterdir()):
                self.expose(f"{path}/{entry.name}", str(entry))
        else:
            self.bind(str(origin), path, writable=False)

    def bind(self, source: str, path: str, *, writable: bool) -> None:
        """Mount a file or folder of the machine at a path of the container."""
        target = Path(self.inside(path))
        if Path(source).is_dir():
            target.mkdir(parents=True, exist_ok=True)
        else:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.touch()
        linux.mount(source, str(target), None, linux.MS_BIND | linux.MS_REC)
        if not writable:
            linux.read_only(str(target))


def enter(spec: dict[str, Any]) -> None:
    """Build the root that a container's specification asks for and make it this process's root.

    spec: ``scratch`` (an empty folder), ``expose`` (paths shown read-only), ``image`` (source and path of the image's
    folders), ``hide`` (folder to cover), ``mounts`` (source, path, writable), ``read_only`` (the root itself).
    Raises OSError.
    """
    linux.unshare(linux.CLONE_NEWNS)
    linux.mount("none", "/", None, linux.MS_REC | linux.MS_PRIVATE)
    folder = spec["scratch"]
    linux.mount("tmpfs", folder, "tmpfs", linux.MS_NOSUID | linux.MS_NODEV, "mode=755,size=512m")
    mounts = sorted(spec["mounts"], key=lambda each: each["path"].count("/"))
    root = Root(folder, [each["path"].rstrip("/") for each in mounts])
    for path in SYSTEM:
        if os.path.lexists(path):
            root.expose(path)
    for path in spec["expose"]:
        root.expose(path)
    for each in spec["image"]:
        root.expose(each["path"], each["source"])
    if Path(folder + spec["hide"]).is_dir():
        linux.mount("tmpfs", folder + spec["hide"], "tmpfs", linux.MS_NOSUID | linux.MS_NODEV, "mode=755")
    _writable_folders(folder)
    _devices(root)
    for each in mounts:
        root.bind(each["source"], each["path"], writable=each["writable"])
    if spec["read_only"]:
        kept = linux.MS_NOSUID | linux.MS_NODEV
        linux.mount("none", folder, None, linux.MS_REMOUNT | linux.MS_BIND | linux.MS_RDONLY | kept)
    linux.pivot_root(folder)


def _writable_folders(folder: str) -> None:
    for name in ("tmp", "var/tmp", "dev/shm", "run", "proc"):
        target = Path(folder, name)
        target.mkdir(parents=True, exist_ok=True)
        if name not in ("run", "proc"):
            target.chmod(0o1777)
    Path(folder, "var/run").symlink_to("../run")
    flags = linux.MS_NOSUID | linux.MS_NODEV | linux.MS_NOEXEC
    linux.mount("proc", f"{folder}/proc", "proc", flags)


def _devices(root: Root) -> None:
    for name in _DEVICES:
        if Path(f"/dev/{name}").exists():
            root.bind(f"/dev/{name}", f"/dev/{name}", writable=True)
    for name, link in _LINKS.items():
        Path(root.folder, "dev", name).symlink_to(link)
