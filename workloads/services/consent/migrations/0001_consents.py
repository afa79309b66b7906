"""Consents and their evidence."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from workloads.chassis.schema import Text, UtcDateTime

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create the consent service's tables."""
    op.create_table(
        "consent",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("bank", Text(40), nullable=False),
        sa.Column("bank_consent_id", sa.Uuid(), nullable=False),
        sa.Column("jurisdiction", Text(2), nullable=False),
        sa.Column("status", Text(20), nullable=False),
        sa.Column("created", UtcDateTime(), nullable=False),
        sa.Column("authorised", UtcDateTime(), nullable=True),
        sa.Column("checked", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_consent"),
    )
    op.create_index("ix_consent_user_id_created", "consent", ["user_id", "created"])
    op.create_table(
        "consent_evidence",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("consent_id", sa.Uuid(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("status", Text(20), nullable=False),
        sa.Column("source", Text(10), nullable=False),
        sa.ForeignKeyConstraint(["consent_id"], ["consent.id"], name="fk_consent_evidence_consent_id"),
        sa.PrimaryKeyConstraint("id", name="pk_consent_evidence"),
    )
    op.create_index("ix_consent_evidence_consent_id", "consent_evidence", ["consent_id"])
