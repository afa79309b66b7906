"""Starts the sync service."""

from __future__ import annotations

from workloads.chassis.run import run
from workloads.services.sync.api import build
from workloads.services.sync.settings import SyncSettings

if __name__ == "__main__":
    run("sync", SyncSettings, build)
