"""Durations: how Azure writes them."""

from __future__ import annotations

from datetime import timedelta


def iso_duration(value: timedelta) -> str:
    """ISO 8601 in the shortest form, which is Azure's own, so that a refresh shows no difference: "P14D", "PT1M30S"."""
    minutes, seconds = divmod(value.seconds, 60)
    hours, minutes = divmod(minutes, 60)
    clock = "".join(f"{number}{unit}" for number, unit in ((hours, "H"), (minutes, "M"), (seconds, "S")) if number)
    return "P" + (f"{value.days}D" if value.days else "") + (f"T{clock}" if clock else "")
