"""Accounts, balances, users' keys."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from workloads.chassis.schema import Text, UtcDateTime

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create the account service's tables."""
    op.create_table(
        "user_key",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(1024), nullable=False),
        sa.Column("wrapping_key", Text(400), nullable=False),
        sa.PrimaryKeyConstraint("user_id", name="pk_user_key"),
    )
    op.create_table(
        "account",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("identity_index", Text(64), nullable=False),
        sa.Column("bank", Text(40), nullable=False),
        sa.Column("number", sa.LargeBinary(500), nullable=True),
        sa.Column("number_masked", Text(10), nullable=True),
        sa.Column("currency", Text(3), nullable=True),
        sa.Column("name", Text(140), nullable=True),
        sa.Column("kind", Text(35), nullable=True),
        sa.Column("consent_id", sa.Uuid(), nullable=False),
        sa.Column("bank_consent_id", sa.Uuid(), nullable=False),
        sa.Column("bank_account_id", sa.Uuid(), nullable=False),
        sa.Column("connected", sa.Boolean(), nullable=False),
        sa.Column("updated", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_account"),
        sa.UniqueConstraint("user_id", "identity_index", name="uq_account_identity"),
    )
    op.create_table(
        "balance",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("kind", Text(40), nullable=False),
        sa.Column("currency", Text(3), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("minor", sa.BigInteger(), nullable=False),
        sa.Column("date", sa.Date(), nullable=True),
        sa.Column("read", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_balance_account_id"),
        sa.PrimaryKeyConstraint("account_id", "kind", "currency", name="pk_balance"),
    )
