"""Starts a sandbox bank."""

from __future__ import annotations

from workloads.chassis.run import run
from workloads.services.bank_sandbox.api import build
from workloads.services.bank_sandbox.settings import SandboxSettings

if __name__ == "__main__":
    run("bank-sandbox", SandboxSettings, build)
