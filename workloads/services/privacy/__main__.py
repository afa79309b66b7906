"""Starts the privacy service."""

from __future__ import annotations

from workloads.chassis.run import run
from workloads.services.privacy.api import build
from workloads.services.privacy.settings import PrivacySettings

if __name__ == "__main__":
    run("privacy", PrivacySettings, build)
