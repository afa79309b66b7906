"""What an ID token of the hybrid flow answers: the client and its nonce."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from workloads.chassis.schema import Text

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add the columns."""
    op.add_column("oauth_grant", sa.Column("client_id", Text(200), nullable=True))
    op.add_column("oauth_grant", sa.Column("nonce", Text(200), nullable=True))
