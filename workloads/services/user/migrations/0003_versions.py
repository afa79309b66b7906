"""Versions of profiles: which of two that others were told is the newer one."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add the column; nobody was told of the profiles that are there."""
    op.add_column("profile", sa.Column("version", sa.BigInteger(), nullable=False, server_default="0"))
