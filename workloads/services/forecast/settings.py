"""What the forecast service is told."""

from __future__ import annotations

from pydantic import Field, HttpUrl

from workloads.chassis.settings import HolderSettings


class ForecastSettings(HolderSettings):
    """The forecast service's settings."""

    account_url: HttpUrl = Field(description="base URL of the account service")
    recurring_url: HttpUrl = Field(description="base URL of the recurring service")
