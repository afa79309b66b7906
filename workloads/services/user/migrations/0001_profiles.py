"""Profiles; outbox and inbox."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from workloads.chassis.events import tables
from workloads.chassis.schema import Text, UtcDateTime

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create the user service's table."""
    op.create_table(
        "profile",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("registered", UtcDateTime(), nullable=False),
        sa.Column("language", Text(5), nullable=False),
        sa.Column("timezone", Text(40), nullable=False),
        sa.Column("currency", Text(3), nullable=False),
        sa.PrimaryKeyConstraint("user_id", name="pk_profile"),
    )
    tables.create()
