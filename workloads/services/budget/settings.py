"""What the budget service is told."""

from __future__ import annotations

from workloads.chassis.settings import UserSettings


class BudgetSettings(UserSettings):
    """The budget service's settings: none beside those of every service with users."""
