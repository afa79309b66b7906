"""Starts the enrichment service."""

from __future__ import annotations

from workloads.chassis.run import run
from workloads.services.enrichment.api import build
from workloads.services.enrichment.settings import EnrichmentSettings

if __name__ == "__main__":
    run("enrichment", EnrichmentSettings, build)
