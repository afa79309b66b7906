"""Facts and series; outbox, inbox and tasks."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from workloads.chassis import facts, tasks
from workloads.chassis.events import tables
from workloads.chassis.schema import Text

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create the recurring service's tables."""
    op.create_table(
        "series",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("party", Text(32), nullable=False),
        sa.Column("currency", Text(3), nullable=False),
        sa.Column("every", Text(10), nullable=False),
        sa.Column("day", sa.Integer(), nullable=False),
        sa.Column("minor", sa.BigInteger(), nullable=False),
        sa.Column("spread", sa.BigInteger(), nullable=False),
        sa.Column("first", sa.Date(), nullable=False),
        sa.Column("last", sa.Date(), nullable=False),
        sa.Column("next", sa.Date(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("missed", sa.Integer(), nullable=False),
        sa.Column("ended", sa.Boolean(), nullable=False),
        sa.Column("ignored", sa.Boolean(), nullable=False),
        sa.Column("name", Text(60), nullable=True),
        sa.Column("category", Text(60), nullable=False),
        sa.Column("merchant", Text(80), nullable=True),
        sa.Column("transaction_id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_series"),
    )
    op.create_index("ix_series_user_id_party", "series", ["user_id", "party"])
    facts.create()
    tables.create()
    tasks.create()
