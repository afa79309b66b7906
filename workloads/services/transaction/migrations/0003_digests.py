"""What an account's last list was, so that the same one is not taken over again."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from workloads.chassis.schema import Text

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add the last list's digest and counts; none was kept so far."""
    table = "synchronised_account"
    op.add_column(table, sa.Column("digest", Text(64), nullable=True))
    for name in ("entries", "unreadable"):
        op.add_column(table, sa.Column(name, sa.Integer(), nullable=False, server_default="0"))
