"""The time: always UTC and aware."""

from __future__ import annotations

import datetime


def now() -> datetime.datetime:
    """The present moment in UTC."""
    return datetime.datetime.now(datetime.UTC)


def today() -> datetime.date:
    """The present date in UTC."""
    return now().date()
