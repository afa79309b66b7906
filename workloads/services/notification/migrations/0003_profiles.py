"""Profiles as the user service tells them, which preferences may leave language and time zone to."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from workloads.chassis.schema import Text

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Create the table; preferences that are there stay as they are."""
    op.create_table(
        "profile",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("timezone", Text(40), nullable=False),
        sa.Column("language", Text(5), nullable=False),
        sa.PrimaryKeyConstraint("user_id", name="pk_profile"),
    )
    op.alter_column("preference", "timezone", existing_type=Text(40), nullable=True)
    op.alter_column("preference", "language", existing_type=Text(5), nullable=True)
