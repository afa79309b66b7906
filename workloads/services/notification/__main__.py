"""Starts the notification service."""

from __future__ import annotations

from workloads.chassis.run import run
from workloads.services.notification.api import build
from workloads.services.notification.settings import NotificationSettings

if __name__ == "__main__":
    run("notification", NotificationSettings, build)
