"""The broker as a supervised daemon, and where it listens."""

from __future__ import annotations

import socket
import sys
from collections.abc import Mapping

from local.daemon import Daemon
from local.instance import REPOSITORY, Instance

PORT = 5671
"""AMQP over TLS (IANA amqps). Clients of Service Bus take no other, so each namespace has an address of its own."""
_OWN = 1


def own_address(instance: Instance) -> str:
    """Where the broker listens for no namespace: there it can be seen whether it is up."""
    return instance.loopback(_OWN)


def listens(address: str) -> bool:
    """Whether the broker listens on an address."""
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex((address, PORT)) == 0


def daemons(instance: Instance, tools: Mapping[str, str]) -> list[Daemon]:
    """The broker."""
    module = "local.azure.dataplanes.servicebus"
    # Proton is a C library: should it ever end the process, the log says where it was called from.
    argv = (tools.get("python", sys.executable), "-X", "faulthandler", "-m", module, "--state", str(instance.state))
    return [Daemon(name="servicebus", argv=argv, folder=REPOSITORY, ready=lambda: listens(own_address(instance)))]
