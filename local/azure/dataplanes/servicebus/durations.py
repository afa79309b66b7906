"""ISO 8601 durations of entity properties, in milliseconds."""

from __future__ import annotations

from datetime import timedelta

import isodate

NEVER_DAYS = 10675199
"""Service Bus says this many days (.NET's longest time span) for "never"."""


def milliseconds(text: str | None) -> int | None:
    """A duration such as "PT1M"; None for none and for "never". Raises ValueError when it is malformed."""
    if text is None:
        return None
    try:
        length = isodate.parse_duration(text)
    except (isodate.ISO8601Error, TypeError) as error:
        raise ValueError(f"{text!r} is no duration such as PT1M: {error}") from None
    if not isinstance(length, timedelta) or length <= timedelta(0):
        raise ValueError(f"{text!r} is no duration of a fixed, positive length; years and months have none")
    return None if length.days >= NEVER_DAYS else length // timedelta(milliseconds=1)
