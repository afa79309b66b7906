"""Addresses of pods and Services: what Kubernetes is told, and where on loopback they really are.

The API server refuses endpoints in 127.0.0.0/8, so it hears of 10.<octet>.x.y; processes listen on 127.<octet>.x.y.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

from local.instance import Instance


def service_cidr(instance: Instance) -> str:
    """The Services' network as Kubernetes knows it."""
    return f"10.{instance.service_octet}.0.0/16"


def pod_cidr(instance: Instance) -> str:
    """The pods' network as Kubernetes knows it."""
    return f"10.{instance.pod_octet}.0.0/16"


def node_address(instance: Instance) -> str:
    """The address the API server advertises; nothing listens there, it only satisfies its validation."""
    return f"10.{instance.pod_octet}.0.1"


def loopback(address: str) -> str:
    """Where on this machine a pod or Service address is: 10.a.b.c → 127.a.b.c.

    Raises ValueError for an address outside 10.0.0.0/8.
    """
    first, rest = address.split(".", 1)
    if first != "10":
        raise ValueError(f"address {address} is not in 10.0.0.0/8, the network of pods and Services here.")
    return f"127.{rest}"


def free_pod_address(instance: Instance, used: Iterable[str]) -> str:
    """A pod address that nobody uses; .0.x is kept for the node itself.

    Raises RuntimeError when the network is full.
    """
    taken = set(used)
    for address in ipaddress.ip_network(f"10.{instance.pod_octet}.1.0/24").hosts():
        if str(address) not in taken:
            return str(address)
    raise RuntimeError(f"no free pod address in 10.{instance.pod_octet}.1.0/24: {len(taken)} pods run; delete some.")
