"""Which version of enrichment's facts a category is of: an older one that comes late changes nothing."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add the version; every fact is newer than none."""
    op.add_column(
        "ledger_transaction", sa.Column("category_version", sa.BigInteger(), nullable=False, server_default="0")
    )
