"""What the notification service is asked and what it answers."""

from __future__ import annotations

import datetime
import uuid
import zoneinfo
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from workloads.services.notification import domain
from workloads.services.notification.domain import Kind
from workloads.services.notification.models import Notification, Preference


def _known_zone(name: str) -> str:
    if name not in zoneinfo.available_timezones():
        raise ValueError("no such time zone of the IANA database, e.g. Europe/Berlin")
    return name


LocalTime = Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$", examples=["22:00"])]


class Preferences(BaseModel):
    """How a person wants to be told. quiet_from and quiet_to: local times; the same means never quiet."""

    model_config = ConfigDict(extra="forbid")
    timezone: Annotated[str, Field(max_length=40, examples=["Europe/Berlin"]), AfterValidator(_known_zone)]
    language: Literal["en", "de"] = "en"
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
    title: str = Field(examples=["Budget at 80 %"])
    text: str = Field(examples=["80 % of a budget for 2026-11 is spent."])
    about: dict[str, Any] = Field(description="what the app can link to", examples=[{"percent": 80}])
    delivered: datetime.datetime
    read: datetime.datetime | None

    @classmethod
    def of(cls, row: Notification, language: str) -> NotificationView:
        """In the person's language."""
        kind: Any = row.kind
        title, text = domain.text(kind, language, row.about)
        return cls(
            id=row.id, kind=kind, title=title, text=text, about=row.about, read=row.read,
            delivered=row.delivered or row.created,
        )  # fmt: skip


class NotificationList(BaseModel):
    """The newest hundred, newest first."""

    notifications: list[NotificationView]
