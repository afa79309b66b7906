"""Booked transactions that a bank withdraws: since when its lists lack one that they told before."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from workloads.chassis.schema import UtcDateTime

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Add the column; nothing is missing until a list says so."""
    op.add_column("ledger_transaction", sa.Column("missing", UtcDateTime(), nullable=True))
