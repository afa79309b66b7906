"""Starts the forecast service."""

from __future__ import annotations

from workloads.chassis.run import run
from workloads.services.forecast.api import build
from workloads.services.forecast.settings import ForecastSettings

if __name__ == "__main__":
    run("forecast", ForecastSettings, build)
