"""Installations: a device each, as an app or its back end describes it; checked before they are kept.

https://learn.microsoft.com/rest/api/notificationhubs/create-overwrite-installation and update-installation.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping
from typing import Any

from local.azure.dataplanes.notificationhubs.errors import HubError, bad
from local.azure.dataplanes.notificationhubs.tags import TAG

PLATFORMS = ("apns", "browser", "fcmv1")
_NAME = re.compile(r"[A-Za-z0-9_@#.:=-]{1,200}")
_BROWSER = ("endpoint", "p256dh", "auth")
_GIVEN = {"installationId", "platform", "pushChannel", "tags", "userId"}
_READ_ONLY = {"expirationTime", "expiredPushChannel", "lastActiveOn", "lastUpdate"}
"""What a client that reads, changes and writes sends back: ignored, as Azure does."""
_NEVER = "9999-12-31T23:59:59.9999999Z"
_TIME_TO_LIVE = re.compile(r"(?:(\d{1,8})\.)?(\d{1,2}):(\d{2}):(\d{2})(?:\.\d{1,7})?")
_MOST_TAGS = 60

Installation = dict[str, Any]


def time_to_live(told: str) -> datetime.timedelta:
    """What a hub's ``registrationTtl`` says, in .NET's form, e.g. "90.00:00:00". Raises ValueError when it is none."""
    found = _TIME_TO_LIVE.fullmatch(told)
    if found is None:
        raise ValueError(f"{told[:40]!r} is no time span such as 90.00:00:00")
    days, hours, minutes, seconds = (int(each or 0) for each in found.groups())
    return datetime.timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)


def created(name: str, body: Any, lives: datetime.timedelta | None = None) -> Installation:
    """The installation that a PUT describes. lives: how long, unless it is written again; None for ever.

    Raises HubError 400 naming the property.
    """
    if not isinstance(body, dict):
        raise bad("The installation is no JSON object")
    body = {"userId" if key == "userID" else key: value for key, value in body.items()}
    unknown = sorted(body.keys() - _GIVEN - _READ_ONLY)
    if unknown:
        raise bad(f"{', '.join(unknown)}: not known here; known: {', '.join(sorted(_GIVEN))}")
    if body.get("installationId") != name or not _NAME.fullmatch(name):
        raise bad(f"installationId: it must be that of the address, {name[:200]!r}, of letters, digits and _@#.:=-")
    platform = str(body.get("platform", "")).lower()
    if platform not in PLATFORMS:
        raise bad(f"platform: {body.get('platform')!r} is not known here; known: {', '.join(PLATFORMS)}")
    found: Installation = {"installationId": name, "platform": platform}
    _set_channel(found, body.get("pushChannel"))
    if body.get("userId") is not None:
        _set_user(found, body["userId"])
    _set_tags(found, body.get("tags") or [])
    return _touched(found, lives)


def patched(installation: Installation, operations: Any, lives: datetime.timedelta | None = None) -> Installation:
    """As it is after a JSON Patch (RFC 6902), of which add, replace and remove are known. Raises HubError 400."""
    if not isinstance(operations, list) or not operations:
        raise bad("The patch is no JSON array of operations")
    found = {**installation, "tags": list(installation["tags"])}
    for each in operations:
        if not isinstance(each, dict) or each.get("op") not in ("add", "replace", "remove"):
            raise bad("op: allowed are add, replace and remove")
        path, value = str(each.get("path", "")), each.get("value")
        if each["op"] == "remove":
            _remove(found, path)
        elif path == "/pushChannel":
            _set_channel(found, value)
        elif path == "/userId":
            _set_user(found, value)
        elif path == "/tags":
            given = value if isinstance(value, list) else [value]
            _set_tags(found, given if each["op"] == "replace" else [*found["tags"], *given])
        else:
            raise bad(f"path: {path[:200]!r} is not known here; known: /pushChannel, /userId, /tags")
    return _touched(found, lives)


def expired(installation: Installation) -> Installation:
    """As it is once the platform's notification service has said that its channel is gone."""
    return {**installation, "expiredPushChannel": True}


def tags_of(installation: Mapping[str, Any]) -> set[str]:
    """What an expression may name it by."""
    own = {*installation["tags"], f"$InstallationId:{{{installation['installationId']}}}"}
    return own | ({f"$UserId:{{{installation['userId']}}}"} if "userId" in installation else set())


def moment(at: datetime.datetime) -> str:
    """A time as it is written; of two the later one is the greater text."""
    return f"{at:%Y-%m-%dT%H:%M:%S.%f0Z}"


def _touched(installation: Installation, lives: datetime.timedelta | None) -> Installation:
    now = datetime.datetime.now(datetime.UTC)
    ends = _NEVER
    if lives is not None and lives < datetime.datetime.max.replace(tzinfo=datetime.UTC) - now:
        ends = moment(now + lives)
    return {**installation, "expirationTime": ends, "lastUpdate": moment(now)}


def _remove(installation: Installation, path: str) -> None:
    tag = path.removeprefix("/tags/")
    if path == "/tags":
        installation["tags"] = []
    elif path == "/userId":
        installation.pop("userId", None)
    elif path.startswith("/tags/") and tag in installation["tags"]:
        installation["tags"].remove(tag)
    else:
        raise bad(f"path: nothing to remove at {path[:200]!r}; known: /tags, /tags/{{tag}}, /userId")


def _set_channel(installation: Installation, given: Any) -> None:
    if installation["platform"] == "browser":
        if not isinstance(given, dict) or set(given) != set(_BROWSER) or not all(map(_is_text, given.values())):
            raise bad(f"pushChannel: of a browser it has {', '.join(_BROWSER)}, each a text")
        if not given["endpoint"].startswith("https://"):
            raise bad("pushChannel: the endpoint is no https address")
    elif not _is_text(given):
        raise bad(f"pushChannel: of {installation['platform']} it is a text")
    installation["pushChannel"], installation["expiredPushChannel"] = given, False


def _set_user(installation: Installation, given: Any) -> None:
    if not isinstance(given, str) or not _NAME.fullmatch(given):
        raise bad("userId: letters, digits and _@#.:=- are allowed")
    installation["userId"] = given


def _set_tags(installation: Installation, given: Any) -> None:
    if not isinstance(given, list) or not all(isinstance(each, str) and TAG.fullmatch(each) for each in given):
        raise bad("tags: each is up to 120 letters, digits and _@#.:-")
    if len(given) > _MOST_TAGS:
        raise bad(f"tags: there are {len(given)}; allowed are {_MOST_TAGS}")
    installation["tags"] = list(dict.fromkeys(given))


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value) <= 4096


def not_found(name: str) -> HubError:
    """404."""
    return HubError(404, f"The installation {name[:200]} could not be found")
