"""Accounts without an IBAN whose number is a sort code and an account number: known again by the next read."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add the column."""
    op.add_column("account", sa.Column("uk_number", sa.Boolean(), nullable=False, server_default=sa.false()))
