"""Starts the connector."""

from __future__ import annotations

from workloads.chassis.run import run
from workloads.services.connector.api import build
from workloads.services.connector.settings import ConnectorSettings

if __name__ == "__main__":
    run("connector", ConnectorSettings, build)
