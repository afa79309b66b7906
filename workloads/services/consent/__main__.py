"""Starts the consent service."""

from __future__ import annotations

from workloads.chassis.run import run
from workloads.services.consent.api import build
from workloads.services.consent.settings import ConsentSettings

if __name__ == "__main__":
    run("consent", ConsentSettings, build)
