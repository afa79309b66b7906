"""What the transaction service is told."""

from __future__ import annotations

from pydantic import Field, HttpUrl

from workloads.chassis.settings import SecretKeeperSettings


class TransactionSettings(SecretKeeperSettings):
    """The transaction service's settings."""

    account_url: HttpUrl = Field(description="base URL of the account service")
    connector_url: HttpUrl = Field(description="base URL of the connector")
