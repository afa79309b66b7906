"""Transfers by IBAN: the blind indexes of the person's own accounts, and which transactions are with one of them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from workloads.chassis.schema import Text

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Add table and column. What the ledger holds is looked at when accounts are first told: here is no key."""
    op.create_table(
        "own_account",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("iban_index", Text(13), nullable=False),
        sa.PrimaryKeyConstraint("account_id", name="pk_own_account"),
    )
    op.create_index("ix_own_account_user_id", "own_account", ["user_id"])
    op.add_column("ledger_transaction", sa.Column("with_own", sa.Boolean(), nullable=False, server_default=sa.false()))
