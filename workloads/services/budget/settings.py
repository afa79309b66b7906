"""What the budget service is told."""

from __future__ import annotations

from workloads.chassis.settings import HolderSettings


class BudgetSettings(HolderSettings):
    """The budget service's settings: none beside those of every service with users."""
