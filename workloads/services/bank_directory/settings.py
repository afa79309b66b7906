"""What the bank directory is told."""

from __future__ import annotations

from pydantic import Field, HttpUrl

from workloads.chassis.settings import TokenSettings


class DirectorySettings(TokenSettings):
    """The bank directory's settings. It has no data: banks are profiles, and the connector sees how they do."""

    connector_url: HttpUrl = Field(description="base URL of the connector")
