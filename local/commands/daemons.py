"""All daemons of an instance: what they need on disk, and the list that is supervised."""

from __future__ import annotations

from collections.abc import Mapping

from local.azure import daemons as azure
from local.daemon import Daemon
from local.instance import Instance
from local.kubernetes import daemons as kubernetes


def prepare(instance: Instance, tools: Mapping[str, str], *, cluster: bool = True) -> list[Daemon]:
    """Write keys, certificates and configuration, and list the daemons. cluster: the Kubernetes part too."""
    instance.keep()
    azure.prepare(instance, tools)
    listed = azure.daemons(instance, tools)
    if cluster:
        kubernetes.prepare(instance, tools)
        listed += kubernetes.daemons(instance, tools)
    return listed
