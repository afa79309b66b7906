"""The ledger, and how far each account was synchronised."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from workloads.chassis.schema import Text, UtcDateTime

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create the ledger's tables."""
    op.create_table(
        "ledger_transaction",
        sa.Column("sequence", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("bank", Text(40), nullable=False),
        sa.Column("key", Text(100), nullable=False),
        sa.Column("status", Text(10), nullable=False),
        sa.Column("date", sa.Date(), nullable=False),
        sa.Column("booking_date", sa.Date(), nullable=True),
        sa.Column("value_date", sa.Date(), nullable=True),
        sa.Column("minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", Text(3), nullable=False),
        sa.Column("counterparty", Text(140), nullable=True),
        sa.Column("remittance", Text(1000), nullable=True),
        sa.Column("transaction_id", Text(200), nullable=True),
        sa.Column("entry_reference", Text(200), nullable=True),
        sa.Column("imported", UtcDateTime(), nullable=False),
        sa.Column("changed", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("sequence", name="pk_ledger_transaction"),
        sa.UniqueConstraint("id", name="uq_ledger_transaction_id"),
        sa.UniqueConstraint("account_id", "key", name="uq_ledger_transaction_key"),
    )
    op.create_index("ix_ledger_transaction_page", "ledger_transaction", ["user_id", "date", "sequence"])
    op.create_index("ix_ledger_transaction_account", "ledger_transaction", ["account_id", "date"])
    op.create_table(
        "synchronised_account",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("until", sa.Date(), nullable=True),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("account_id", name="pk_synchronised_account"),
    )
