"""The Notification Hubs data plane: devices and what is pushed to them, behind an HTTPS listener a namespace."""

from __future__ import annotations

from local.azure.context import Azure, DataPlane


def data_planes(azure: Azure) -> list[DataPlane]:
    """None with a fixed listener: a namespace's listener comes and goes with the namespace."""
    return []
