"""Addresses of pods and Services: what Kubernetes is told, and where on loopback they really are.

The API server refuses endpoints in 127.0.0.0/8, so it hears of 10.<octet>.x.y; processes listen on 127.<octet>.x.y.
"""

from __future__ import annotations

import ipaddress
import random
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


class PodAddresses:
    """Hands out pod addresses in turn, so that one is not used again while someone still routes to its last pod.

    The first 256 addresses of the network are kept for the node itself.
    """

    def __init__(self, instance: Instance) -> None:
        first = int(ipaddress.IPv4Address(f"10.{instance.pod_octet}.1.0"))
        self.range = range(first, first + 2**16 - 2**9)
        self.next = random.randrange(len(self.range))  # noqa: S311  # an agent that starts again begins elsewhere

    def take(self, used: Iterable[str]) -> str:
        """An address that is not in use. Raises RuntimeError when all are."""
        taken = set(used)
        for _ in self.range:
            address = str(ipaddress.IPv4Address(self.range[self.next]))
            self.next = (self.next + 1) % len(self.range)
            if address not in taken and not address.endswith((".0", ".255")):
                return address
        raise RuntimeError(f"no free pod address: {len(taken)} pods run; delete some.")
