"""The Application Insights data plane: telemetry comes in, and `python -m local.azure.dataplanes.traces` shows it."""

from __future__ import annotations

from local.azure.context import Azure, DataPlane
from local.azure.dataplanes.insights.endpoint import IngestionEndpoint


def data_planes(azure: Azure) -> list[DataPlane]:
    """The ingestion endpoint."""
    return [IngestionEndpoint(azure)]
