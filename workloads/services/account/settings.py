"""What the account service is told."""

from __future__ import annotations

from pydantic import Field, HttpUrl

from workloads.chassis.settings import SecretKeeperSettings


class AccountSettings(SecretKeeperSettings):
    """The account service's settings."""

    consent_url: HttpUrl = Field(description="base URL of the consent service")
    connector_url: HttpUrl = Field(description="base URL of the connector")
