"""What the notification service is told."""

from __future__ import annotations

from workloads.chassis.settings import HolderSettings


class NotificationSettings(HolderSettings):
    """The notification service's settings: none beside those of every service with users."""
