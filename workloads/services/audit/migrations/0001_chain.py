"""The chain and its head; outbox and inbox."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from workloads.chassis.events import tables
from workloads.chassis.schema import Text, UtcDateTime

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create the audit service's tables, and the chain's beginning."""
    op.create_table(
        "entry",
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("source", Text(60), nullable=False),
        sa.Column("type", Text(60), nullable=False),
        sa.Column("subject", Text(40), nullable=True),
        sa.Column("about", Text(2000), nullable=False),
        sa.Column("digest", Text(64), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_entry"),
        sa.UniqueConstraint("event_id", name="uq_entry_event_id"),
    )
    op.create_index("ix_entry_subject", "entry", ["subject", "number"])
    head = op.create_table(
        "head",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("digest", Text(64), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_head"),
    )
    op.bulk_insert(head, [{"id": 1, "number": 0, "digest": "0" * 64}])
    tables.create()
