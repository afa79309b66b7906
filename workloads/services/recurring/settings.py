"""What the recurring service is told."""

from __future__ import annotations

from workloads.chassis.settings import HolderSettings


class RecurringSettings(HolderSettings):
    """The recurring service's settings: none beside those of every service with users."""
