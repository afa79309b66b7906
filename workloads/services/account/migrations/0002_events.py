"""Outbox and inbox."""

from __future__ import annotations

from workloads.chassis.events import tables

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Create the tables of events."""
    tables.create()
