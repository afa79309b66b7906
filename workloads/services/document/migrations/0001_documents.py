"""Documents, users' keys; outbox and inbox."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from workloads.chassis import userkeys
from workloads.chassis.events import tables
from workloads.chassis.schema import Text, UtcDateTime

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create the document service's tables."""
    op.create_table(
        "document",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("content_index", Text(64), nullable=False),
        sa.Column("details", sa.LargeBinary(2000), nullable=False),
        sa.Column("kind", Text(40), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("uploaded", UtcDateTime(), nullable=False),
        sa.Column("transaction_id", sa.Uuid(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_document"),
        sa.UniqueConstraint("user_id", "content_index", name="uq_document_content"),
    )
    op.create_index("ix_document_user_id_transaction_id", "document", ["user_id", "transaction_id"])
    userkeys.create()
    tables.create()
