"""Starts the user service."""

from __future__ import annotations

from workloads.chassis.run import run
from workloads.services.user.api import build
from workloads.services.user.settings import UserServiceSettings

if __name__ == "__main__":
    run("user", UserServiceSettings, build)
