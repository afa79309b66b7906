"""Consents and accounts at banks, the ledger of calls, users' keys."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from workloads.chassis.schema import Text, UtcDateTime

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create the connector's tables."""
    op.create_table(
        "user_key",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(1024), nullable=False),
        sa.Column("wrapping_key", Text(400), nullable=False),
        sa.PrimaryKeyConstraint("user_id", name="pk_user_key"),
    )
    op.create_table(
        "bank_consent",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("bank", Text(40), nullable=False),
        sa.Column("consent_ref", sa.LargeBinary(2000), nullable=False),
        sa.Column("psu_id", sa.LargeBinary(500), nullable=True),
        sa.Column("authorisation_id", Text(200), nullable=True),
        sa.Column("redirect_uri", Text(2000), nullable=False),
        sa.Column("nok_redirect_uri", Text(2000), nullable=True),
        sa.Column("created", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_bank_consent"),
    )
    op.create_table(
        "bank_account",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("consent_id", sa.Uuid(), nullable=False),
        sa.Column("resource", sa.LargeBinary(2000), nullable=False),
        sa.Column("resource_index", Text(64), nullable=False),
        sa.ForeignKeyConstraint(["consent_id"], ["bank_consent.id"], name="fk_bank_account_consent_id"),
        sa.PrimaryKeyConstraint("id", name="pk_bank_account"),
        sa.UniqueConstraint("consent_id", "resource_index", name="uq_bank_account_resource"),
    )
    op.create_table(
        "bank_call",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("bank", Text(40), nullable=False),
        sa.Column("consent_id", sa.Uuid(), nullable=True),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column("operation", Text(40), nullable=False),
        sa.Column("attended", sa.Boolean(), nullable=False),
        sa.Column("page", sa.Integer(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_bank_call"),
    )
    op.create_index("ix_bank_call_quota", "bank_call", ["user_id", "consent_id", "account_id", "operation", "at"])
