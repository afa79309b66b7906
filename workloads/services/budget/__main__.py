"""Starts the budget service."""

from __future__ import annotations

from workloads.chassis.run import run
from workloads.services.budget.api import build
from workloads.services.budget.settings import BudgetSettings

if __name__ == "__main__":
    run("budget", BudgetSettings, build)
