"""Devices, what is to be pushed to each, and users' keys, which their addresses are sealed with."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from workloads.chassis import userkeys
from workloads.chassis.schema import Text, UtcDateTime

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "device",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("platform", Text(10), nullable=False),
        sa.Column("channel", sa.LargeBinary(4000), nullable=False),
        sa.Column("channel_index", Text(64), nullable=False),
        sa.Column("installation", sa.Uuid(), nullable=False),
        sa.Column("registered", sa.Boolean(), nullable=False),
        sa.Column("leaving", sa.Boolean(), nullable=False),
        sa.Column("created", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_device"),
        sa.UniqueConstraint("user_id", "channel_index", name="uq_device_channel"),
    )
    op.create_table(
        "push",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("notification_id", sa.Uuid(), nullable=False),
        sa.Column("device_id", sa.Uuid(), nullable=False),
        sa.Column("sent", UtcDateTime(), nullable=True),
        sa.Column("dropped", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["notification_id"], ["notification.id"], name="fk_push_notification_id"),
        sa.ForeignKeyConstraint(["device_id"], ["device.id"], name="fk_push_device_id"),
        sa.PrimaryKeyConstraint("id", name="pk_push"),
        sa.UniqueConstraint("notification_id", "device_id", name="uq_push_notification_device"),
    )
    op.create_index("ix_push_device_id", "push", ["device_id"])
    userkeys.create()
