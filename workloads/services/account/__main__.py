"""Starts the account service."""

from __future__ import annotations

from workloads.chassis.run import run
from workloads.services.account.api import build
from workloads.services.account.settings import AccountSettings

if __name__ == "__main__":
    run("account", AccountSettings, build)
