"""Facts, preferences and notifications; outbox, inbox and tasks."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from workloads.chassis import facts, tasks
from workloads.chassis.events import tables
from workloads.chassis.schema import Text, UtcDateTime

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create the notification service's tables."""
    op.create_table(
        "preference",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("timezone", Text(40), nullable=False),
        sa.Column("language", Text(5), nullable=False),
        sa.Column("quiet_from", Text(5), nullable=False),
        sa.Column("quiet_to", Text(5), nullable=False),
        sa.Column("muted", Text(200), nullable=False),
        sa.PrimaryKeyConstraint("user_id", name="pk_preference"),
    )
    op.create_table(
        "notification",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("kind", Text(30), nullable=False),
        sa.Column("period", Text(120), nullable=False),
        sa.Column("about", sa.JSON(), nullable=False),
        sa.Column("created", UtcDateTime(), nullable=False),
        sa.Column("delivered", UtcDateTime(), nullable=True),
        sa.Column("read", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_notification"),
        sa.UniqueConstraint("user_id", "kind", "period", name="uq_notification_period"),
    )
    op.create_index("ix_notification_user_id_created", "notification", ["user_id", "created"])
    facts.create()
    tables.create()
    tasks.create()
