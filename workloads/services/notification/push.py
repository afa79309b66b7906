"""The port of push services: what reaches a person's phones and browsers, whoever carries it."""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol

Platform = Literal["apns", "browser", "fcmv1"]


class Unavailable(Exception):
    """The push service can't be asked now. after: when it wants to be asked again, where it says so."""

    def __init__(self, reason: str, after: datetime.timedelta | None = None) -> None:
        super().__init__(reason)
        self.after = after


class Refused(Exception):
    """It will never take this; the message says why, without a device's address."""


class Unknown(Exception):
    """It does not know the device, which is to be told to it anew."""


class Gone(Exception):
    """The app is gone from the device, or the device is another person's now."""


@dataclass(frozen=True)
class Address:
    """Where a device is reached.

    installation: the same for the same app on the same device, whoever uses it. tag: of this person's use of it.
    """

    installation: uuid.UUID
    tag: str
    platform: Platform


@dataclass(frozen=True)
class Message:
    """What a locked screen shows. id: the same however often it is sent, so that a device shows it once."""

    id: uuid.UUID
    title: str


class PushService(Protocol):
    """Carries messages to devices. Each call raises Unavailable or Refused where it can't be done."""

    def register(self, address: Address, channel: Any, tags: list[str]) -> None:
        """Have a device reached from now on. channel: its platform's own address of it."""
        ...

    def unregister(self, address: Address) -> None:
        """Have it not reached any more; nothing happens where it is another person's by now."""
        ...

    def send(self, address: Address, message: Message) -> None:
        """Have it shown at least once. Raises Unknown and Gone."""
        ...

    def close(self) -> None:
        """Close its connections."""
        ...


def bodies(message: Message) -> Mapping[Platform, dict[str, Any]]:
    """The message in each platform's own form, with what lets a device show it once."""
    id_ = str(message.id)
    shown = {"title": message.title}
    return {
        "apns": {"aps": {"alert": shown}, "notification_id": id_},
        "browser": {**shown, "notification_id": id_},
        "fcmv1": {
            "message": {
                "notification": shown,
                "data": {"notification_id": id_},
                "android": {"collapse_key": id_, "notification": {"tag": id_}},
            }
        },
    }
