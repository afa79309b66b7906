"""The storage data plane: Azurite as the backend, a checking proxy in front of each of its services."""

from __future__ import annotations

from local.azure.context import Azure, DataPlane
from local.azure.dataplanes.storage.azurite import SERVICES, backend_key, daemons, prepare
from local.azure.dataplanes.storage.plane import StoragePlane, plane_of

__all__ = ["SERVICES", "StoragePlane", "backend_key", "daemons", "data_planes", "plane_of", "prepare"]


def data_planes(azure: Azure) -> list[DataPlane]:
    """The proxies of blobs, queues and tables."""
    return [plane_of(azure)]
