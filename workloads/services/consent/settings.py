"""What the consent service is told."""

from __future__ import annotations

from pydantic import Field, HttpUrl

from workloads.chassis.settings import HolderSettings


class ConsentSettings(HolderSettings):
    """The consent service's settings."""

    connector_url: HttpUrl = Field(description="base URL of the connector")
    sync_url: HttpUrl | None = Field(
        default=None, description="base URL of the sync service; absent: a new consent is not read at once"
    )
    account_url: HttpUrl | None = Field(
        default=None,
        description="base URL of the account service; absent: a newer consent stands for every older one at its bank",
    )
