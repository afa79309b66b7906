"""The Service Bus data plane: an AMQP 1.0 broker in a daemon of its own (see docs/deviations/service-bus.md)."""

from __future__ import annotations

from local.azure.context import Azure, DataPlane
from local.azure.dataplanes.servicebus.daemon import daemons

__all__ = ["daemons", "data_planes"]


def data_planes(azure: Azure) -> list[DataPlane]:
    """None within the ARM daemon: the broker follows what is deployed by itself."""
    return []
