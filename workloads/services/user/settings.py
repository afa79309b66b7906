"""What the user service is told."""

from __future__ import annotations

from workloads.chassis.settings import HolderSettings


class UserServiceSettings(HolderSettings):
    """The user service's settings: none beside those of every service with users."""
