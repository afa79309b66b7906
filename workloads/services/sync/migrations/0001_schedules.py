"""Schedules, accesses and runs; outbox, inbox and tasks."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from workloads.chassis import tasks
from workloads.chassis.events import tables
from workloads.chassis.schema import Text, UtcDateTime

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create the sync service's tables."""
    op.create_table(
        "schedule",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("times_a_day", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("user_id", name="pk_schedule"),
    )
    op.create_table(
        "access",
        sa.Column("sequence", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("sequence", name="pk_access"),
    )
    op.create_index("ix_access_user_id_account_id", "access", ["user_id", "account_id", "at"])
    op.create_table(
        "run",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("attended", sa.Boolean(), nullable=False),
        sa.Column("started", UtcDateTime(), nullable=False),
        sa.Column("ended", UtcDateTime(), nullable=True),
        sa.Column("added", sa.Integer(), nullable=False),
        sa.Column("updated", sa.Integer(), nullable=False),
        sa.Column("removed", sa.Integer(), nullable=False),
        sa.Column("kinds", Text(400), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_run"),
    )
    op.create_index("ix_run_user_id_started", "run", ["user_id", "started"])
    tables.create()
    tasks.create()
