"""Facts and projections; outbox, inbox and tasks."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from workloads.chassis import facts, tasks
from workloads.chassis.events import tables
from workloads.chassis.schema import Text, UtcDateTime

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create the forecast service's tables."""
    op.create_table(
        "projected_month",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("currency", Text(3), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("start", sa.BigInteger(), nullable=False),
        sa.Column("recurring", sa.BigInteger(), nullable=False),
        sa.Column("usual", sa.BigInteger(), nullable=False),
        sa.Column("low", sa.BigInteger(), nullable=False),
        sa.Column("middle", sa.BigInteger(), nullable=False),
        sa.Column("high", sa.BigInteger(), nullable=False),
        sa.Column("below_zero", sa.Integer(), nullable=False),
        sa.Column("made", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("user_id", "currency", "month", name="pk_projected_month"),
    )
    facts.create()
    tables.create()
    tasks.create()
