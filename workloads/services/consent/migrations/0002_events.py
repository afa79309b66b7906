"""Outbox, inbox and tasks."""

from __future__ import annotations

from workloads.chassis import tasks
from workloads.chassis.events import tables

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Create the tables of events."""
    tables.create()
    tasks.create()
