"""How banks do."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from workloads.chassis.schema import Text, UtcDateTime

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Create the table of banks' health."""
    op.create_table(
        "bank_health",
        sa.Column("bank", Text(40), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("called", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("bank", name="pk_bank_health"),
    )
