"""What the enrichment service is told."""

from __future__ import annotations

from pydantic import Field, HttpUrl

from workloads.chassis.settings import HolderSettings


class EnrichmentSettings(HolderSettings):
    """The enrichment service's settings."""

    transaction_url: HttpUrl = Field(description="base URL of the transaction service")
