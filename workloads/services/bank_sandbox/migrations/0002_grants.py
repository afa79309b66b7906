"""Grants of the bank's authorization server."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from workloads.chassis.schema import Text, UtcDateTime

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Create the table of grants."""
    op.create_table(
        "oauth_grant",
        sa.Column("consent_id", sa.Uuid(), nullable=False),
        sa.Column("redirect_uri", Text(2000), nullable=False),
        sa.Column("state", Text(500), nullable=True),
        sa.Column("challenge", Text(100), nullable=False),
        sa.Column("code", Text(100), nullable=True),
        sa.Column("access", Text(100), nullable=True),
        sa.Column("refresh", Text(100), nullable=True),
        sa.Column("expires", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["consent_id"], ["consent.id"], name="fk_oauth_grant_consent_id"),
        sa.PrimaryKeyConstraint("consent_id", name="pk_oauth_grant"),
    )
