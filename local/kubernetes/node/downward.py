"""The downward API: what a pod may know of itself (Kubernetes "Downward API", fieldRef and resourceFieldRef)."""

from __future__ import annotations

import math
import re
from decimal import Decimal

from kubernetes.utils.quantity import parse_quantity

from local.kubernetes.files import NODE_NAME
from local.kubernetes.network import loopback
from local.kubernetes.node.client import Object

_KEYED = re.compile(r"metadata\.(labels|annotations)\['(.+)'\]")


class ConfigError(Exception):
    """A container whose configuration can't be met; the kubelet's reason is CreateContainerConfigError."""


def field(pod: Object, path: str, pod_ip: str) -> str:
    """The value of a fieldRef. status.podIP is the loopback address that the process can listen on.

    pod_ip: the address as Kubernetes knows it. Raises ConfigError for an unknown path.
    """
    metadata, spec = pod["metadata"], pod["spec"]
    known = {
        "metadata.name": metadata["name"],
        "metadata.namespace": metadata["namespace"],
        "metadata.uid": metadata["uid"],
        "spec.nodeName": NODE_NAME,
        "spec.serviceAccountName": spec.get("serviceAccountName", "default"),
        "status.hostIP": "127.0.0.1",
        "status.hostIPs": "127.0.0.1",
        "status.podIP": loopback(pod_ip),
        "status.podIPs": loopback(pod_ip),
    }
    if path in known:
        return str(known[path])
    if path in ("metadata.labels", "metadata.annotations"):
        entries = metadata.get(path.partition(".")[2]) or {}
        return "\n".join(f'{key}="{_escape(value)}"' for key, value in sorted(entries.items()))
    keyed = _KEYED.fullmatch(path)
    if keyed:
        return str((metadata.get(keyed[1]) or {}).get(keyed[2], ""))
    raise ConfigError(
        f"fieldRef.fieldPath {path!r} is not known here (known: {', '.join(known)}, metadata.labels['…'])"
    )


def resource(container: Object, name: str, divisor: str, allocatable: Object) -> str:
    """The value of a resourceFieldRef such as "limits.memory"; a limit that is not set is the node's.

    Raises ConfigError for an unknown resource.
    """
    kind, _, what = name.partition(".")
    if kind not in ("limits", "requests") or what not in ("cpu", "memory", "ephemeral-storage"):
        raise ConfigError(f"resourceFieldRef.resource {name!r} is not known here")
    amounts = container.get("resources") or {}
    amount = (amounts.get(kind) or {}).get(what)
    if amount is None and kind == "limits":
        amount = allocatable[what]
    unit = parse_quantity(divisor if divisor not in ("", "0") else "1")
    return str(math.ceil(parse_quantity(amount or "0") / unit))


def memory_limit(container: Object) -> int | None:
    """A container's memory limit in bytes."""
    amount = ((container.get("resources") or {}).get("limits") or {}).get("memory")
    return None if amount is None else int(Decimal(parse_quantity(amount)))


def _escape(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
