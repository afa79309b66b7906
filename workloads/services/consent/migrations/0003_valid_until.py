"""Until when a consent is valid at its bank."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add the column; of consents that are there the law's time counts, as before."""
    op.add_column("consent", sa.Column("valid_until", sa.Date(), nullable=True))
