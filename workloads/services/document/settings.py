"""What the document service is told."""

from __future__ import annotations

from pydantic import Field, HttpUrl

from workloads.chassis.settings import SecretKeeperSettings


class DocumentSettings(SecretKeeperSettings):
    """The document service's settings."""

    uploads_url: HttpUrl = Field(description="https URL of the storage account's container that keeps files")
    transaction_url: HttpUrl = Field(description="base URL of the transaction service")
