"""Facts, plans, limits and crossings; outbox and inbox."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from workloads.chassis import facts
from workloads.chassis.events import tables
from workloads.chassis.schema import Text, UtcDateTime

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create the budget service's tables."""
    op.create_table(
        "budget",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("name", Text(60), nullable=False),
        sa.Column("categories", Text(1000), nullable=False),
        sa.Column("currency", Text(3), nullable=False),
        sa.Column("limit_minor", sa.BigInteger(), nullable=False),
        sa.Column("rollover", Text(10), nullable=False),
        sa.Column("thresholds", Text(40), nullable=False),
        sa.Column("start", sa.Date(), nullable=False),
        sa.Column("created", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_budget"),
    )
    op.create_index("ix_budget_user_id", "budget", ["user_id", "created"])
    op.create_table(
        "month_limit",
        sa.Column("budget_id", sa.Uuid(), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("limit_minor", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["budget_id"], ["budget.id"], name="fk_month_limit_budget_id"),
        sa.PrimaryKeyConstraint("budget_id", "month", name="pk_month_limit"),
    )
    op.create_table(
        "crossing",
        sa.Column("budget_id", sa.Uuid(), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("percent", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["budget_id"], ["budget.id"], name="fk_crossing_budget_id"),
        sa.PrimaryKeyConstraint("budget_id", "month", "percent", name="pk_crossing"),
    )
    facts.create()
    tables.create()
