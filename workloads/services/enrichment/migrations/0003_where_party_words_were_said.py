"""On which transaction the person said what an other side is: it is taken back with that one's correction."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add the transaction; of what was said before, none is known."""
    op.add_column("party_category", sa.Column("transaction_id", sa.Uuid(), nullable=True))
