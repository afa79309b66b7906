"""What the notification service is asked and what it answers."""

from __future__ import annotations

import datetime
import uuid
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from workloads.services.notification import domain, texts
from workloads.services.notification.domain import Kind
from workloads.services.notification.models import Device, Notification, Preference
from workloads.services.notification.profiles import Zone
from workloads.services.notification.push import Platform

LocalTime = Annotated[str, Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$", examples=["22:00"])]


class Preferences(BaseModel):
    """How a person wants to be told. quiet_from and quiet_to: local times; the same means never quiet.

    timezone, language: null means those of the profile.
    """

    model_config = ConfigDict(extra="forbid")
    timezone: Zone | None = Field(default=None, examples=["Europe/Berlin"])
    language: Literal["en", "de", "sv", "fr"] | None = Field(default=None, examples=["sv"])
    quiet_from: LocalTime = "22:00"
    quiet_to: LocalTime = "07:00"
    muted: list[Kind] = Field(default=[], max_length=len(domain.KINDS), examples=[["payment-missed"]])

    @classmethod
    def of(cls, row: Preference) -> Preferences:
        """As they stand."""
        language: Any = row.language
        muted: Any = [each for each in row.muted.split(",") if each]
        return cls(
            timezone=row.timezone, language=language, quiet_from=row.quiet_from, quiet_to=row.quiet_to, muted=muted
        )  # fmt: skip


class NotificationView(BaseModel):
    """Something the person was told."""

    id: uuid.UUID
    kind: Kind
    title: str = Field(examples=["Budget at 80%"])
    text: str = Field(examples=["80% of a budget for November 2026 is spent."])
    about: dict[str, Any] = Field(description="what the app can link to", examples=[{"percent": 80}])
    delivered: datetime.datetime
    read: datetime.datetime | None

    @classmethod
    def of(cls, row: Notification, language: str) -> NotificationView:
        """In the person's language."""
        kind: Any = row.kind
        title, text = texts.text(kind, language, row.about)
        return cls(
            id=row.id, kind=kind, title=title, text=text, about=row.about, read=row.read,
            delivered=row.delivered or row.created,
        )  # fmt: skip


class NotificationList(BaseModel):
    """The newest hundred, newest first."""

    notifications: list[NotificationView]


class PhoneForm(BaseModel):
    """An app on a phone. channel: its token of Firebase Cloud Messaging, or of Apple's push service."""

    model_config = ConfigDict(extra="forbid")
    platform: Literal["apns", "fcmv1"]
    channel: Annotated[str, Field(pattern=r"^[A-Za-z0-9_:.-]{16,1000}$", examples=["dXk3mQ7TRe6Yk0:APA91bHf"])]

    def told(self) -> str:
        """The channel as the push service is told it."""
        return self.channel


class BrowserChannel(BaseModel):
    """A subscription of the Push API (PushSubscription.toJSON). The keys are base64url."""

    model_config = ConfigDict(extra="forbid")
    endpoint: Annotated[
        str,
        Field(pattern=r"^https://[!-~]{1,1900}$", examples=["https://updates.push.services.mozilla.com/wpush/v2/x"]),
    ]
    p256dh: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{87}=?$", examples=["B" + "A" * 86])]
    auth: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{22}(==)?$", examples=["tBHItJI5svbpez7KI4CCXg"])]


class BrowserForm(BaseModel):
    """A browser."""

    model_config = ConfigDict(extra="forbid")
    platform: Literal["browser"]
    channel: BrowserChannel

    def told(self) -> dict[str, str]:
        """The channel as the push service is told it."""
        return self.channel.model_dump()


DeviceForm = Annotated[PhoneForm | BrowserForm, Field(discriminator="platform")]
"""A phone or a browser that is to be told."""


class DeviceView(BaseModel):
    """A phone or browser that is told. Its channel is kept sealed, and told to nobody but the push service."""

    id: uuid.UUID
    platform: Platform
    registered: bool = Field(description="whether the push service knows of it; false: it will in a moment")
    created: datetime.datetime

    @classmethod
    def of(cls, row: Device) -> DeviceView:
        """As it stands."""
        platform: Any = row.platform
        return cls(id=row.id, platform=platform, registered=row.registered, created=row.created)


class DeviceList(BaseModel):
    """The newest first."""

    devices: list[DeviceView]
