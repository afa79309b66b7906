"""What a profile may say."""

from __future__ import annotations

import zoneinfo

LANGUAGES = ("en", "de", "sv", "fr")
DEFAULTS = {"language": "en", "timezone": "Europe/Berlin", "currency": "EUR"}


def is_zone(name: str) -> bool:
    """Whether it is a time zone of the IANA database."""
    return name in zoneinfo.available_timezones()
