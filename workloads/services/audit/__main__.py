"""Starts the audit service."""

from __future__ import annotations

from workloads.chassis.run import run
from workloads.services.audit.api import build
from workloads.services.audit.settings import AuditSettings

if __name__ == "__main__":
    run("audit", AuditSettings, build)
