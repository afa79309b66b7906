"""Starts the document service."""

from __future__ import annotations

from workloads.chassis.run import run
from workloads.services.document.api import build
from workloads.services.document.settings import DocumentSettings

if __name__ == "__main__":
    run("document", DocumentSettings, build)
