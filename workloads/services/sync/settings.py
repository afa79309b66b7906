"""What the sync service is told."""

from __future__ import annotations

from pydantic import Field, HttpUrl

from workloads.chassis.settings import HolderSettings


class SyncSettings(HolderSettings):
    """The sync service's settings."""

    account_url: HttpUrl = Field(description="base URL of the account service")
    transaction_url: HttpUrl = Field(description="base URL of the transaction service")
