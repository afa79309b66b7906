"""What the user service is told."""

from __future__ import annotations

from pydantic import Field, HttpUrl, ValidationInfo, field_validator

from workloads.chassis.settings import SecretKeeperSettings

_ID = "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"


class UserServiceSettings(SecretKeeperSettings):
    """The user service's settings. Without a directory people's accounts are not ours to change or delete."""

    directory_url: HttpUrl | None = Field(default=None, description="base URL of Microsoft Graph, without version")
    directory_tenant: str | None = Field(default=None, pattern=_ID, description="id of the tenant of people's accounts")
    directory_client: str | None = Field(
        default=None, pattern=_ID, validate_default=True, description="id of the application there that this service is"
    )

    @field_validator("directory_client")
    @classmethod
    def _with_the_others(cls, value: str | None, told: ValidationInfo) -> str | None:
        others = (told.data.get("directory_url"), told.data.get("directory_tenant"))
        if {each is None for each in (value, *others)} == {True, False}:
            raise ValueError("DIRECTORY_URL, DIRECTORY_TENANT and DIRECTORY_CLIENT come together or not at all")
        return value
