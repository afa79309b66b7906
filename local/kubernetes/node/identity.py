"""Who a container's process is: user, groups, capabilities. Standard library only: the shim loads it too."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from local.kubernetes.node import linux

DEFAULT_CAPABILITIES = frozenset({0, 1, 3, 4, 5, 6, 7, 8, 10, 13, 18, 27, 29, 31})
"""What containerd leaves a container by default: CHOWN, DAC_OVERRIDE, FOWNER, FSETID, KILL, SETGID, SETUID, SETPCAP,
NET_BIND_SERVICE, NET_RAW, SYS_CHROOT, MKNOD, AUDIT_WRITE, SETFCAP."""
NET_BIND_SERVICE = 10


def map_user(uid: int, gid: int) -> None:
    """In a new user namespace: appear as this user and group, while being who we are (user_namespaces(7))."""
    outside_user, outside_group = os.environ["SHIM_UID"], os.environ["SHIM_GID"]
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{uid} {outside_user} 1")
    Path("/proc/self/gid_map").write_text(f"{gid} {outside_group} 1")


def become(spec: dict[str, Any]) -> None:
    """Drop to the specified user, groups and capabilities.

    spec: ``uid``, ``gid``, ``groups``, ``switch`` (whether the user really changes), ``capabilities`` (numbers),
    ``no_new_privileges``, ``namespaces``.
    """
    if spec["namespaces"]:  # without them, a process keeps what the agent has; the pod has an event that says so
        linux.drop_capabilities(frozenset(spec["capabilities"]))
    if spec["switch"]:
        os.setgroups(spec["groups"])
        os.setresgid(spec["gid"], spec["gid"], spec["gid"])
        os.setresuid(spec["uid"], spec["uid"], spec["uid"])
    if spec["no_new_privileges"]:
        linux.no_new_privileges()
