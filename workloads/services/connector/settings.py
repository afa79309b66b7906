"""What the connector is told."""

from __future__ import annotations

from pydantic import Field, HttpUrl, Json

from workloads.chassis.settings import SecretKeeperSettings


class ConnectorSettings(SecretKeeperSettings):
    """The connector's settings."""

    bank_urls: Json[dict[str, HttpUrl]] = Field(
        default={}, description='a JSON object, bank id → base URL, e.g. {"aurora": "http://bank-aurora:8080"}'
    )
