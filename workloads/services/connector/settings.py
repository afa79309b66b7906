"""What the connector is told."""

from __future__ import annotations

from pydantic import Field, FilePath, HttpUrl, Json

from workloads.chassis.settings import SecretKeeperSettings


class ConnectorSettings(SecretKeeperSettings):
    """The connector's settings."""

    qseal_certificate: str | None = Field(
        default=None,
        pattern="^[0-9a-zA-Z-]{1,127}$",
        description="name of the vault's certificate that signs (QSealC)",
    )
    qwac_certificate: FilePath | None = Field(
        default=None, description="a PEM file with key and certificate that banks are shown (QWAC)"
    )
    bank_urls: Json[dict[str, HttpUrl]] = Field(
        default={}, description='a JSON object, bank id → base URL, e.g. {"aurora": "http://bank-aurora:8080"}'
    )
