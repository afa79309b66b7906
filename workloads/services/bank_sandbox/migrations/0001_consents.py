"""Consents, authorisations, accesses."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from workloads.chassis.schema import Text, UtcDateTime

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create the bank's tables."""
    op.create_table(
        "consent",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("status", Text(20), nullable=False),
        sa.Column("access", sa.JSON(), nullable=False),
        sa.Column("granted", sa.JSON(), nullable=True),
        sa.Column("recurring", sa.Boolean(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=False),
        sa.Column("frequency", sa.Integer(), nullable=False),
        sa.Column("last_action", sa.Date(), nullable=False),
        sa.Column("customer", Text(50), nullable=True),
        sa.Column("redirect_uri", Text(2000), nullable=True),
        sa.Column("nok_redirect_uri", Text(2000), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_consent"),
    )
    op.create_table(
        "authorisation",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("consent_id", sa.Uuid(), nullable=False),
        sa.Column("status", Text(20), nullable=False),
        sa.Column("ticket", sa.Uuid(), nullable=True),
        sa.Column("customer", Text(50), nullable=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("created", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["consent_id"], ["consent.id"], name="fk_authorisation_consent_id"),
        sa.PrimaryKeyConstraint("id", name="pk_authorisation"),
    )
    op.create_index("ix_authorisation_consent_id", "authorisation", ["consent_id"])
    op.create_table(
        "access",
        sa.Column("consent_id", sa.Uuid(), nullable=False),
        sa.Column("uri", Text(200), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("used", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("consent_id", "uri", "day", name="pk_access"),
    )
