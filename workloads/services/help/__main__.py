"""Starts the help service."""

from __future__ import annotations

from workloads.chassis.run import run
from workloads.services.help.api import build
from workloads.services.help.settings import HelpSettings

if __name__ == "__main__":
    run("help", HelpSettings, build)
