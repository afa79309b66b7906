"""Starts the transaction service."""

from __future__ import annotations

from workloads.chassis.run import run
from workloads.services.transaction.api import build
from workloads.services.transaction.settings import TransactionSettings

if __name__ == "__main__":
    run("transaction", TransactionSettings, build)
