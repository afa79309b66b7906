"""Deployment sites of function apps on Flex Consumption: they take packages, by one deploy."""

from __future__ import annotations

from local.azure.context import Azure, DataPlane


def data_planes(azure: Azure) -> list[DataPlane]:
    """None with a fixed listener: a deployment site comes and goes with its app."""
    return []
