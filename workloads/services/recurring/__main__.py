"""Starts the recurring service."""

from __future__ import annotations

from workloads.chassis.run import run
from workloads.services.recurring.api import build
from workloads.services.recurring.settings import RecurringSettings

if __name__ == "__main__":
    run("recurring", RecurringSettings, build)
