"""Assignments, rules, progress; outbox, inbox and tasks."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from workloads.chassis import tasks
from workloads.chassis.events import tables
from workloads.chassis.schema import Text, UtcDateTime

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create the enrichment service's tables."""
    op.create_table(
        "assignment",
        sa.Column("transaction_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("date", sa.Date(), nullable=False),
        sa.Column("minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", Text(3), nullable=False),
        sa.Column("status", Text(10), nullable=False),
        sa.Column("category", Text(60), nullable=False),
        sa.Column("merchant", Text(80), nullable=True),
        sa.Column("party", Text(32), nullable=False),
        sa.Column("source", Text(10), nullable=False),
        sa.Column("transfer", sa.Boolean(), nullable=False),
        sa.Column("removed", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("transaction_id", name="pk_assignment"),
    )
    op.create_index("ix_assignment_user_id_party", "assignment", ["user_id", "party"])
    op.create_index("ix_assignment_user_id_date", "assignment", ["user_id", "date"])
    op.create_table(
        "party_category",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("party", Text(32), nullable=False),
        sa.Column("category", Text(60), nullable=False),
        sa.PrimaryKeyConstraint("user_id", "party", name="pk_party_category"),
    )
    op.create_table(
        "category_rule",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("created", UtcDateTime(), nullable=False),
        sa.Column("words", Text(200), nullable=False),
        sa.Column("least", sa.BigInteger(), nullable=True),
        sa.Column("most", sa.BigInteger(), nullable=True),
        sa.Column("category", Text(60), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_category_rule"),
    )
    op.create_index("ix_category_rule_user_id", "category_rule", ["user_id", "created"])
    op.create_table(
        "progress",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("user_id", name="pk_progress"),
    )
    tables.create()
    tasks.create()
