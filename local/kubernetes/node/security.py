"""Who a container runs as: the pod's and the container's security context and the image's user, resolved."""

from __future__ import annotations

import os
import pwd
from dataclasses import dataclass

from local.kubernetes.node.client import Object
from local.kubernetes.node.downward import ConfigError
from local.kubernetes.node.identity import DEFAULT_CAPABILITIES, NET_BIND_SERVICE
from local.kubernetes.node.volumes import Owner


@dataclass(frozen=True)
class Identity:
    """A container's user, groups and restrictions.

    capabilities: numbers that may be kept.
    """

    uid: int
    gid: int
    groups: tuple[int, ...]
    capabilities: tuple[int, ...]
    no_new_privileges: bool
    read_only_root: bool


def resolve(pod: Object, container: Object, image_user: str) -> Identity:
    """Raises ConfigError where a kubelet refuses to start: root although runAsNonRoot, a user it can't resolve."""
    pod_context = pod["spec"].get("securityContext") or {}
    context = container.get("securityContext") or {}

    def setting(name: str) -> int | None:
        return context.get(name, pod_context.get(name))

    image_uid, image_gid = _image_user(image_user)
    run_as = setting("runAsUser")
    uid = image_uid if run_as is None else int(run_as)
    run_group = setting("runAsGroup")
    gid = image_gid if run_group is None else int(run_group)
    if setting("runAsNonRoot") and uid == 0:
        raise ConfigError(
            f"container has runAsNonRoot and image will run as root (pod: {pod['metadata']['name']}, "
            f"container: {container['name']}); set runAsUser or the image's User"
        )
    groups = [int(each) for each in pod_context.get("supplementalGroups") or ()]
    if "fsGroup" in pod_context:
        groups.append(int(pod_context["fsGroup"]))
    capabilities = context.get("capabilities") or {}
    keep = set() if "ALL" in (capabilities.get("drop") or ()) else set(DEFAULT_CAPABILITIES)
    if "NET_BIND_SERVICE" in (capabilities.get("drop") or ()):
        keep.discard(NET_BIND_SERVICE)
    if "NET_BIND_SERVICE" in (capabilities.get("add") or ()):
        keep.add(NET_BIND_SERVICE)
    return Identity(
        uid,
        gid,
        tuple(groups),
        tuple(sorted(keep)),
        context.get("allowPrivilegeEscalation") is False,
        bool(context.get("readOnlyRootFilesystem")),
    )


def owner(pod: Object, *, switches: bool) -> Owner:
    """Who the pod's volume files belong to: as the kubelet, the fsGroup, and the user when all containers share it."""
    if not switches:
        return Owner()
    context = pod["spec"].get("securityContext") or {}
    every = [*(pod["spec"].get("initContainers") or ()), *pod["spec"]["containers"]]
    users = {(each.get("securityContext") or {}).get("runAsUser", context.get("runAsUser")) for each in every}
    uid = users.pop() if len(users) == 1 else None
    return Owner(uid, context.get("fsGroup"))


def _image_user(text: str) -> tuple[int, int]:
    """An image's User: "", "uid", "uid:gid" or a name of this machine."""
    if not text:
        return 0, 0
    user, _, group = text.partition(":")
    if user.isdigit():
        return int(user), int(group) if group.isdigit() else 0
    try:
        entry = pwd.getpwnam(user)
    except KeyError:
        raise ConfigError(f"image has non-numeric user {user!r}, which this machine does not know") from None
    return entry.pw_uid, entry.pw_gid


def is_root() -> bool:
    """Whether the agent can really change a process's user."""
    return os.geteuid() == 0
