"""What the audit service is told."""

from __future__ import annotations

from workloads.chassis.settings import UserSettings


class AuditSettings(UserSettings):
    """The audit service's settings: none beside those of every service with users."""
