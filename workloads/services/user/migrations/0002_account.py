"""Which account at the identity provider is a person's, sealed, and users' keys."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from workloads.chassis import userkeys

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add the column, and the table of users' keys."""
    op.add_column("profile", sa.Column("account", sa.LargeBinary(100), nullable=True))
    userkeys.create()
