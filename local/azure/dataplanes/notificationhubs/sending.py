"""Sending: whom a notification is for, whether its body is of the platform's form, and what becomes of it.

https://learn.microsoft.com/rest/api/notificationhubs/send-fcmv1-native-notification, send-apns-native-notification,
send-browser-native-notification.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from local.azure.context import Resource
from local.azure.dataplanes.notificationhubs import installations, tags
from local.azure.dataplanes.notificationhubs.errors import HubError, bad

_PLATFORMS = {"apple": "apns", "browser": "browser", "fcmv1": "fcmv1"}
"""Formats of a notification, and the platform of the installations that take it."""
_CREDENTIALS = {"apns": "apnsCredential", "browser": "browserCredential", "fcmv1": "fcmV1Credential"}
_LARGEST = 64 * 1024
_LARGEST_OF_A_PLATFORM = 4096
"""What all three push services take (APNs, FCM, Web Push: 4 KB)."""
_FORWARDED = ("apns-",)
"""Headers that go to the platform's notification service."""


def platform_of(headers: Mapping[str, str]) -> str:
    """The platform that a request sends to. Raises HubError 400."""
    form = headers.get("ServiceBusNotification-Format", "")
    if form.lower() not in _PLATFORMS:
        raise bad(f"ServiceBusNotification-Format: {form[:40]!r} is not known here; known: {', '.join(_PLATFORMS)}")
    if not headers.get("Content-Type", "").lower().startswith("application/json"):
        raise bad("Content-Type: it must be application/json;charset=utf-8")
    if "ServiceBusNotification-DeviceHandle" in headers:
        raise bad("ServiceBusNotification-DeviceHandle: direct sends are not known here; send to $InstallationId:{…}")
    return _PLATFORMS[form.lower()]


def checked(platform: str, content: bytes) -> str:
    """The body, of the platform's form. Raises HubError 400, 413."""
    if len(content) > _LARGEST:
        raise HubError(413, f"The notification has {len(content)} bytes; allowed are {_LARGEST}")
    try:
        body = json.loads(content)
    except ValueError:
        raise bad("The body is no JSON") from None
    if not isinstance(body, dict):
        raise bad("The body is no JSON object")
    if platform == "fcmv1" and not isinstance(body.get("message"), dict):
        raise bad("The body of fcmv1 needs a message (FCM HTTP v1, projects.messages.send)")
    if platform == "fcmv1" and {"token", "topic", "condition"} & set(body["message"]):
        raise bad("message: token, topic and condition are the hub's to set")
    if platform == "apns" and not isinstance(body.get("aps"), dict):
        raise bad("The body of apple needs aps")
    return content.decode()


def targets(
    hub: Resource, every: Sequence[Mapping[str, Any]], platform: str, wanted: str | None, size: int
) -> list[tuple[Mapping[str, Any], str]]:
    """The installations that a notification is for, each with what becomes of it. wanted: a tag expression, or all."""
    meant = tags.expression(wanted) if wanted is not None else None
    found = [each for each in every if each["platform"] == platform]
    found = [each for each in found if meant is None or meant(installations.tags_of(each))]
    return [(each, _outcome(hub, each, size)) for each in found]


def _outcome(hub: Resource, installation: Mapping[str, Any], size: int) -> str:
    """In the words of per-message telemetry."""
    if not hub.properties.get(_CREDENTIALS[installation["platform"]]):
        return "InvalidCredentials"
    if installation.get("expiredPushChannel"):
        return "ExpiredChannel"
    return "Success" if size <= _LARGEST_OF_A_PLATFORM else "InvalidNotificationSize"


def forwarded(headers: Mapping[str, str]) -> dict[str, str]:
    """The headers that go to the platform's notification service."""
    return {name.lower(): value for name, value in headers.items() if name.lower().startswith(_FORWARDED)}
