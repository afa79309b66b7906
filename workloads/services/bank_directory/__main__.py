"""Starts the bank directory."""

from __future__ import annotations

from workloads.chassis.run import run
from workloads.services.bank_directory.api import build
from workloads.services.bank_directory.settings import DirectorySettings

if __name__ == "__main__":
    run("bank-directory", DirectorySettings, build)
