"""Transfers by sort codes and account numbers: the blind indexes of the person's own, some of which have no IBAN."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from workloads.chassis.schema import Text

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Add the column, and let an account go without an IBAN."""
    op.add_column("own_account", sa.Column("uk_index", Text(13), nullable=True))
    op.alter_column("own_account", "iban_index", existing_type=Text(13), nullable=True)
