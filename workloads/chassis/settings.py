"""What a service is told: its environment, read once, validated, and handed down."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Annotated, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    HttpUrl,
    IPvAnyAddress,
    Json,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

DIALECTS = ("postgresql", "mssql")
_SECRET = {"database_url", "data_key", "applicationinsights_connection_string"}
"""Settings whose value is never repeated in an error."""


class SettingsError(ValueError):
    """The environment does not let the service start; the message names each variable and what is allowed."""


class Settings(BaseModel):
    """The settings every service has; each service adds its own in a subclass. A field is an upper-case variable."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    pod_ip: IPvAnyAddress = Field(default="127.0.0.1", validate_default=True, description="address to listen on")
    port: int = Field(default=8080, ge=1, le=65535, description="a TCP port from 1 to 65535")
    applicationinsights_connection_string: str | None = Field(
        default=None, pattern="InstrumentationKey=", description="InstrumentationKey=…;IngestionEndpoint=…"
    )
    ssl_cert_file: str | None = Field(default=None, description="PEM file with the trusted roots")
    log_level: Annotated[str, Field(pattern="^(DEBUG|INFO|WARNING|ERROR)$")] = "INFO"

    @classmethod
    def load(cls, environment: Mapping[str, str]) -> Self:
        """The settings an environment holds; an empty variable counts as absent.

        Raises SettingsError naming every variable that is missing or malformed.
        """
        given = {name: environment[name.upper()] for name in cls.model_fields if environment.get(name.upper())}
        try:
            return cls.model_validate(given)
        except ValidationError as error:
            raise SettingsError("\n".join(cls._explain(each, given) for each in error.errors())) from None

    @classmethod
    def _explain(cls, error: Mapping[str, object], given: Mapping[str, str]) -> str:
        name = str(error["loc"][0]) if error["loc"] else "settings"  # type: ignore[index]  # pydantic's loc is a tuple
        allowed = cls.model_fields[name].description if name in cls.model_fields else None
        hint = f" Allowed: {allowed}." if allowed else ""
        if name not in given:
            return f"{name.upper()} is missing.{hint} Set it in the environment of the service."
        value = "its value (not shown)" if name in _SECRET else repr(given[name])
        return f"{name.upper()}: {value} is not valid: {error['msg']}.{hint}"


class DataSettings(Settings):
    """For a service that owns data."""

    database_url: str = Field(description="SQLAlchemy URL, postgresql+psycopg://<host>/<database> or mssql+pyodbc://…")

    @field_validator("database_url")
    @classmethod
    def _known_dialect(cls, value: str) -> str:
        try:
            url = make_url(value)
        except ArgumentError:
            raise ValueError("it is not an SQLAlchemy URL") from None
        if url.get_backend_name() not in DIALECTS:
            raise ValueError(f"dialect {url.get_backend_name()!r} is not one of {', '.join(DIALECTS)}")
        if not url.database:
            raise ValueError("it names no database")
        return value


class TokenSettings(Settings):
    """For a service that serves users: whose bearer tokens identify them."""

    token_issuer: HttpUrl = Field(description="base URL of the OpenID Connect issuer, without /.well-known/…")
    token_audience: str = Field(description="the audience that access tokens for this API carry")
    service_token_issuer: HttpUrl | None = Field(
        default=None, description="the same of the tokens of services' identities; absent: token_issuer, for both"
    )
    service_token_audience: str | None = Field(
        default=None,
        validate_default=True,
        description="the audience that services' tokens carry; given with SERVICE_TOKEN_ISSUER alone",
    )
    acting_services: Json[list[uuid.UUID]] = Field(
        default=[], description="JSON list: object ids of the platform's services, which may act for a user"
    )

    @field_validator("service_token_audience")
    @classmethod
    def _with_an_issuer(cls, value: str | None, told: ValidationInfo) -> str | None:
        if (value is None) != (told.data.get("service_token_issuer") is None):
            raise ValueError("SERVICE_TOKEN_ISSUER and SERVICE_TOKEN_AUDIENCE come together or not at all")
        return value

    @property
    def service_audience(self) -> str:
        """Whom services ask tokens for, and for whom theirs must be."""
        return self.service_token_audience or self.token_audience


class UserSettings(DataSettings, TokenSettings):
    """For a service that owns data of users, and tells and hears of changes by events."""

    service_bus_host: str | None = Field(
        default=None, pattern="^[a-z0-9.-]+(:[0-9]+)?$", description="host of the Service Bus namespace"
    )


class HolderSettings(UserSettings):
    """For a service that holds users' data, and so must have erased what was to be erased before it serves."""

    privacy_url: HttpUrl | None = Field(
        default=None, description="base URL of the privacy service, which knows of every erasure"
    )


class KeySettings(Settings):
    """For whoever seals and opens personal data: where users' keys are wrapped.

    One of the two must be given. The vault's key is wrapped and unwrapped with by the service's identity.
    """

    key_vault_url: HttpUrl | None = Field(default=None, description="https URL of the Key Vault")
    data_key_name: str = Field(default="user-data", pattern="^[0-9a-zA-Z-]{1,127}$", description="a key's name")
    data_key: str | None = Field(default=None, description="32 bytes in base64: wraps users' keys without a vault")

    @field_validator("data_key")
    @classmethod
    def _is_256_bits(cls, value: str | None) -> str | None:
        import base64
        import binascii

        try:
            if value is not None and len(base64.b64decode(value, validate=True)) != 32:
                raise ValueError("it is not 32 bytes long")
        except binascii.Error:
            raise ValueError("it is not base64") from None
        return value


class SecretKeeperSettings(HolderSettings, KeySettings):
    """For a service that stores personal data encrypted."""
