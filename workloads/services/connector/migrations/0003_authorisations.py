"""Authorisations on their way, and the tokens that banks give."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from workloads.chassis.schema import UtcDateTime

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Let a consent wait for its first step; add the tokens' table."""
    op.alter_column("bank_consent", "consent_ref", existing_type=sa.LargeBinary(2000), nullable=True)
    op.add_column("bank_consent", sa.Column("progress", sa.LargeBinary(), nullable=True))
    op.create_table(
        "bank_token",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("consent_id", sa.Uuid(), nullable=False),
        sa.Column("access", sa.LargeBinary(), nullable=False),
        sa.Column("refresh", sa.LargeBinary(), nullable=True),
        sa.Column("expires", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["consent_id"], ["bank_consent.id"], name="fk_bank_token_consent_id"),
        sa.PrimaryKeyConstraint("consent_id", name="pk_bank_token"),
    )
