"""What the notification service is told."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, ValidationInfo, field_validator

from workloads.chassis.settings import SecretKeeperSettings


class NotificationSettings(SecretKeeperSettings):
    """The notification service's settings. Without a hub people are told in the app alone."""

    push_hub: str | None = Field(default=None, pattern="^[A-Za-z][A-Za-z0-9._-]*$", description="a hub's name")
    push_listen: Path | None = Field(default=None, description="file with the connection string of what may register")
    push_send: Path | None = Field(
        default=None, validate_default=True, description="file with the connection string of what may send"
    )

    @field_validator("push_send")
    @classmethod
    def _with_the_others(cls, value: Path | None, told: ValidationInfo) -> Path | None:
        if {each is None for each in (value, told.data.get("push_hub"), told.data.get("push_listen"))} == {True, False}:
            raise ValueError("PUSH_HUB, PUSH_LISTEN and PUSH_SEND come together or not at all")
        return value
